#include "qc_compat_bell.h"

#include "../core/qc_mem.h"
#include "qc_probe_bell.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ hanging */

/* Frames of the code have begun from this unit on; and the other number of stack slots is its. */
static void exchange(qc_link *link, uint32_t begin)
{
    link->bell->slots = qc_code_set_stack(link->code, link->bell->slots);
    (void)qc_code_set_begin(link->code, (int)begin);
}

void qc_bell_take_down(qc_link *link)
{
    qc_bell *bell = link->bell;
    if (bell != NULL && bell->hangs) {
        uint8_t *at = qc_code_bytes(link->code) + 2 * (size_t)bell->entry;
        memcpy(at, bell->saved, sizeof bell->saved);
        exchange(link, bell->entry);
        bell->references = (int32_t)Py_REFCNT(link->code);
        bell->hangs = false;
    }
}

void qc_bell_hang_up(qc_link *link)
{
    qc_bell *bell = link->bell;
    if (bell == NULL || bell->hangs) {
        return;
    }
    uint8_t *at = qc_code_bytes(link->code) + 2 * (size_t)bell->entry;
    memcpy(bell->saved, at, sizeof bell->saved);
    exchange(link, qc_code_units(link->code));
    qc_write_bell(at);
    bell->hangs = true;
}

/* ------------------------------------------------------------------ bells come and go */

/* Can this code have a bell? What runs it, or may run it, would refer to it. */
static bool fits(PyCodeObject *code, uint32_t entry)
{
    enum { GENERATOR = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR, HOLDERS = 2 };
    uint32_t units = qc_code_units(code);
    return code->co_flags & CO_OPTIMIZED && !(code->co_flags & GENERATOR) &&
           Py_REFCNT(code) <= HOLDERS && qc_code_is_uninstrumented(code) &&
           units >= QC_BELL_UNITS && entry <= units - QC_BELL_UNITS;
}

int qc_bell_new(qc_codemap *map, PyObject *home, Py_ssize_t place, qc_file *file)
{
    PyCodeObject *code = (PyCodeObject *)PyTuple_GET_ITEM(home, place);
    uint32_t entry = qc_code_begin(code);
    if (!fits(code, entry) || place > INT32_MAX) {
        return 0;
    }
    qc_link *link = qc_codemap_get(map, code);
    qc_bell *bell = link != NULL ? qc_malloc(sizeof *bell) : NULL;
    if (bell == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        return -1;
    }
    *bell = (qc_bell){.home = home,
                      .place = (int32_t)place,
                      .file = file,
                      .slots = qc_code_twin_slots(code),
                      .entry = entry};
    link->bell = bell;
    qc_bell_hang_up(link);
    return 1;
}

void qc_bell_free(qc_link *link)
{
    qc_bell *bell = link->bell;
    if (bell != NULL) {
        qc_bell_take_down(link);
        link->bell = NULL;
        qc_free(bell, sizeof *bell);
    }
}

void qc_bells_leave(const qc_codemap *map, PyObject *consts)
{
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(consts); k++) {
        PyObject *item = PyTuple_GET_ITEM(consts, k);
        qc_link *link = PyCode_Check(item) ? qc_codemap_find(map, (PyCodeObject *)item) : NULL;
        if (link != NULL && link->bell != NULL && link->bell->home == consts) {
            link->bell->home = NULL;
        }
    }
}

void qc_bell_answered(qc_link *link, PyCodeObject *twin)
{
    PyObject *home = link->bell->home;
    if (home != NULL) {
        PyTuple_SET_ITEM(home, link->bell->place, Py_NewRef(twin));
        Py_DECREF(link->code); /* the twin has it */
    }
    link->bell->home = NULL;
}

/* ------------------------------------------------------------------ the ring */

static PyObject *ring_code(PyObject *hook)
{
    uint8_t bytes[16];
    size_t units = qc_write_ring(bytes);
    PyObject *model = (PyObject *)PyCode_NewEmpty("<quickcover>", "ring", 1);
    PyObject *replace = model != NULL ? PyObject_GetAttrString(model, "replace") : NULL;
    PyObject *none = PyTuple_New(0);
    PyObject *names = Py_BuildValue("{s:y#,s:(OO),s:i,s:i}", "co_code", (const char *)bytes,
                                    (Py_ssize_t)(2 * units), "co_consts", hook, Py_None,
                                    "co_stacksize", 2, "co_flags", CO_OPTIMIZED | CO_NEWLOCALS);
    PyObject *code = replace != NULL && none != NULL && names != NULL
                         ? PyObject_Call(replace, none, names)
                         : NULL;
    Py_XDECREF(model);
    Py_XDECREF(replace);
    Py_XDECREF(none);
    Py_XDECREF(names);
    return code;
}

PyObject *qc_ring_new(PyObject *hook)
{
    PyObject *code = ring_code(hook), *globals = PyDict_New();
    PyObject *ring = code != NULL && globals != NULL ? PyFunction_New(code, globals) : NULL;
    if (ring != NULL) {
        (void)qc_code_set_begin((PyCodeObject *)code, (int)qc_code_units((PyCodeObject *)code));
        PyObject_GC_UnTrack(ring); /* nobody measures it */
    }
    Py_XDECREF(code);
    Py_XDECREF(globals);
    return ring;
}

#endif
