#include "qc_compat_bell.h"

#include "../core/qc_mem.h"
#include "qc_bytecode.h"
#include "qc_probe_bell.h"
#include "qc_probe_room.h"
#include "qc_probe_twin.h"

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

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ hanging */

enum { MOST_UNITS = 4 + 4 + QC_TRAMPOLINE_TEST_UNITS + 1 + QC_BELL_CALL_UNITS };

/* Writes a bell for the hook at this index of the constants, behind which the ring stands; gives
 * its size in units. */
static uint32_t write_bell(uint8_t *code, uint32_t hook)
{
    uint32_t at = qc_write_prefixed(code, 0, qc_prefixes_for(hook), LOAD_CONST, hook);
    qc_trampoline_test(code + 2 * (size_t)at);
    at += QC_TRAMPOLINE_TEST_UNITS;
    if (!QC_NULL_IS_ABOVE) {
        at = qc_write_prefixed(code, at, 0, PUSH_NULL, 0);
    }
    at = qc_write_prefixed(code, at, qc_prefixes_for(hook + 1), LOAD_CONST, hook + 1);
    if (QC_NULL_IS_ABOVE) {
        at = qc_write_prefixed(code, at, 0, PUSH_NULL, 0);
    }
    qc_write_bell_call(code + 2 * (size_t)at);
    return at + QC_BELL_CALL_UNITS;
}

/* Where the RESUME is in code that never ran. */
static uint32_t entry_of(PyCodeObject *code)
{
    qc_codeview view = {.code = qc_code_bytes(code), .units = qc_code_units(code)};
    return qc_room_entry(&view) - QC_STUB_AFTER_RESUME;
}

static void exchange(qc_link *link)
{
    qc_bell *bell = link->bell;
    bell->consts = qc_code_swap_consts(link->code, bell->consts);
    bell->slots = qc_code_set_stack(link->code, bell->slots);
    bell->begin = qc_code_set_begin(link->code, bell->begin);
}

void qc_bell_take_down(qc_link *link)
{
    qc_bell *bell = link->bell;
    if (bell != NULL && bell->hangs) {
        uint8_t *at = qc_code_bytes(link->code) + 2 * (size_t)bell->entry;
        memcpy(at, bell->saved, 2 * (size_t)bell->units);
        exchange(link);
        bell->references = Py_REFCNT(link->code);
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
    memcpy(bell->saved, at, 2 * (size_t)bell->units);
    exchange(link);
    (void)write_bell(at, (uint32_t)PyTuple_GET_SIZE(link->code->co_consts));
    bell->hangs = true;
}

/* ------------------------------------------------------------------ bells come and go */

/* The code's constants, with the hook and the ring behind the last. */
static PyObject *consts_for(PyCodeObject *code, PyObject *hook, PyObject *ring)
{
    Py_ssize_t count = PyTuple_GET_SIZE(code->co_consts);
    PyObject *consts = PyTuple_New(count + 2);
    if (consts != NULL) {
        for (Py_ssize_t k = 0; k < count; k++) {
            PyTuple_SET_ITEM(consts, k, Py_NewRef(PyTuple_GET_ITEM(code->co_consts, k)));
        }
        PyTuple_SET_ITEM(consts, count, hook); /* borrowed: they are never freed */
        PyTuple_SET_ITEM(consts, count + 1, ring);
        Py_SET_SIZE(consts, count);
        PyObject_GC_UnTrack(consts); /* constants are in no cycle: spare the collector them */
    }
    return consts;
}

/* How many units a bell takes in this code; 0: it can't have one. */
static uint32_t fits(PyCodeObject *code, uint32_t entry)
{
    enum { GENERATOR = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR, HOLDERS = 2 };
    uint8_t bell[2 * MOST_UNITS];
    if (!(code->co_flags & CO_OPTIMIZED) || code->co_flags & GENERATOR ||
        Py_REFCNT(code) > HOLDERS || !qc_code_is_uninstrumented(code)) {
        return 0;
    }
    uint32_t all = qc_code_units(code);
    uint32_t units = write_bell(bell, (uint32_t)PyTuple_GET_SIZE(code->co_consts));
    return units <= all && entry <= all - units ? units : 0;
}

int qc_bell_new(qc_codemap *map, PyObject *home, Py_ssize_t place, qc_file *file, PyObject *hook,
                PyObject *ring)
{
    PyCodeObject *code = (PyCodeObject *)PyTuple_GET_ITEM(home, place);
    uint32_t entry = entry_of(code), units = fits(code, entry);
    if (units == 0) {
        return 0;
    }
    qc_link *link = qc_codemap_get(map, code);
    size_t size = sizeof(qc_bell) + 2 * (size_t)units;
    qc_bell *bell = link != NULL ? qc_calloc(1, size) : NULL;
    PyObject *consts = bell != NULL ? consts_for(code, hook, ring) : NULL;
    if (consts == NULL) {
        qc_free(bell, size);
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        return -1;
    }
    *bell = (qc_bell){.consts = consts,
                      .home = home,
                      .place = place,
                      .file = file,
                      .slots = qc_code_twin_slots(code),
                      .begin = (int)qc_code_units(code),
                      .entry = entry,
                      .units = units};
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
        Py_DECREF(bell->consts);
        qc_free(bell, sizeof *bell + 2 * (size_t)bell->units);
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

#else

void qc_bell_free(qc_link *Py_UNUSED(link))
{
}

#endif
