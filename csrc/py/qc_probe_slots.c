#include "qc_compat.h"

#include "qc_engine_probe.h"
#include "qc_probe_slots.h"
#include "qc_probe_twin.h"

#if QC_HAVE_PROBES

/* Static, against the rule, because PyFunction_Type is: a slot can't be told where its state is. */
static struct {
    qc_codemap *map; /* strong; twins compare as their originals when no engine runs, too */
    bool open;       /* its prober runs */
    PyGetSetDef *code, *adaptive;
    setter set_code;
    getter get_adaptive;
    newfunc make;
    richcmpfunc compare;
    hashfunc hash;
} slots;

/* What is to run in place of `code`; it itself if it can't be exchanged. A new reference. */
static PyObject *exchanged(PyObject *code, PyObject *globals)
{
    qc_tracer *tracer = slots.open ? slots.map->prober : NULL;
    if (tracer == NULL || !PyCode_Check(code)) {
        return Py_NewRef(code);
    }
    Py_INCREF(tracer);
    PyObject *twin = (PyObject *)qc_probe_exchange(tracer, (PyCodeObject *)code, globals);
    if (twin == NULL) {
        qc_tracer_fail(tracer);
        twin = Py_NewRef(code);
    }
    Py_DECREF(tracer);
    return twin;
}

static int set_code(PyObject *function, PyObject *value, void *closure)
{
    if (value == NULL) {
        return slots.set_code(function, value, closure);
    }
    PyObject *code = exchanged(value, PyFunction_GET_GLOBALS(function));
    int result = slots.set_code(function, code, closure);
    Py_DECREF(code);
    return result;
}

/* types.FunctionType(code, globals, ...) */
static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 2 || !PyCode_Check(PyTuple_GET_ITEM(args, 0))) {
        return slots.make(type, args, kwargs);
    }
    PyObject *code = exchanged(PyTuple_GET_ITEM(args, 0), PyTuple_GET_ITEM(args, 1));
    PyObject *changed = PyTuple_New(count); /* a whole slice would be the tuple itself */
    for (Py_ssize_t k = 1; changed != NULL && k < count; k++) {
        PyTuple_SET_ITEM(changed, k, Py_NewRef(PyTuple_GET_ITEM(args, k)));
    }
    PyObject *result = NULL;
    if (changed != NULL) {
        PyTuple_SET_ITEM(changed, 0, Py_NewRef(code));
        result = slots.make(type, changed, kwargs);
    }
    Py_DECREF(code);
    Py_XDECREF(changed);
    return result;
}

/* ------------------------------------------------------------------ twins as their originals */

/* The original of a twin; any other object itself. Borrowed. */
static PyObject *original_of(PyObject *object)
{
    if (slots.map != NULL && PyCode_Check(object)) {
        qc_link *link = qc_codemap_find(slots.map, (PyCodeObject *)object);
        if (link != NULL && link->twin != NULL) {
            return (PyObject *)link->twin->original;
        }
    }
    return object;
}

static PyObject *compare(PyObject *left, PyObject *right, int what)
{
    return slots.compare(original_of(left), original_of(right), what);
}

static Py_hash_t hash(PyObject *code)
{
    return slots.hash(original_of(code));
}

static PyObject *get_adaptive(PyObject *code, void *closure)
{
    qc_link *link = slots.map ? qc_codemap_find(slots.map, (PyCodeObject *)code) : NULL;
    if (link != NULL && link->twin != NULL) {
        return qc_twin_adaptive(link);
    }
    return slots.get_adaptive(code, closure);
}

/* ------------------------------------------------------------------ open and close */

/* The definition of a getset attribute of a static type; NULL with an exception set. */
static PyGetSetDef *getset_of(PyTypeObject *type, const char *name)
{
    PyObject *descriptor = PyDict_GetItemString(type->tp_dict, name);
    if (descriptor == NULL || !Py_IS_TYPE(descriptor, &PyGetSetDescr_Type)) {
        PyErr_Format(PyExc_RuntimeError, "quickcover: %s.%s is not CPython's", type->tp_name, name);
        return NULL;
    }
    return ((PyGetSetDescrObject *)descriptor)->d_getset;
}

int qc_probe_slots_open(qc_codemap *map)
{
    if (slots.map != map) {
        if (slots.map != NULL) {
            qc_codemap_release(slots.map);
        }
        slots.map = qc_codemap_hold(map);
    }
    if (slots.open) {
        return 0;
    }
    if ((slots.code = getset_of(&PyFunction_Type, "__code__")) == NULL ||
        (slots.adaptive = getset_of(&PyCode_Type, "_co_code_adaptive")) == NULL) {
        return -1;
    }
    slots.open = true;
    slots.set_code = slots.code->set;
    slots.make = PyFunction_Type.tp_new;
    slots.code->set = set_code;
    PyFunction_Type.tp_new = make;
    if (PyCode_Type.tp_richcompare != compare) {
        slots.get_adaptive = slots.adaptive->get;
        slots.compare = PyCode_Type.tp_richcompare;
        slots.hash = PyCode_Type.tp_hash;
        slots.adaptive->get = get_adaptive;
        PyCode_Type.tp_richcompare = compare;
        PyCode_Type.tp_hash = hash;
    }
    return 0;
}

void qc_probe_slots_close(void)
{
    if (slots.open) {
        slots.code->set = slots.set_code;
        PyFunction_Type.tp_new = slots.make;
        slots.open = false;
    }
}

#endif
