#include "qc_compat.h"

#include "qc_limits.h"

/* ------------------------------------------------------------------ EmptyTrace */

static int empty_trace(PyObject *Py_UNUSED(self), PyFrameObject *Py_UNUSED(frame),
                       int Py_UNUSED(what), PyObject *Py_UNUSED(arg))
{
    return 0;
}

static PyObject *trace_start(PyObject *self, PyObject *Py_UNUSED(none))
{
    PyEval_SetTrace(empty_trace, self);
    Py_RETURN_NONE;
}

static PyObject *trace_stop(PyObject *self, PyObject *Py_UNUSED(none))
{
    if (qc_thread_traced_by(self)) {
        PyEval_SetTrace(NULL, NULL);
    }
    Py_RETURN_NONE;
}

static PyMethodDef trace_methods[] = {
    {"start", trace_start, METH_NOARGS, "Trace this thread with a function that does nothing."},
    {"stop", trace_stop, METH_NOARGS, "Stop."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot trace_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("An empty C trace function: the limit of settrace.")},
    {Py_tp_methods, trace_methods},
    {0, NULL},
};

static PyType_Spec trace_spec = {
    .name = "quickcover._native.EmptyTrace",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = trace_slots,
};

/* ------------------------------------------------------------------ EmptyMonitoring */

#if QC_HAVE_MONITORING
enum { TOOL_ID = 1 };

static PyObject *empty_callback(PyObject *self, PyObject *const *Py_UNUSED(args),
                                Py_ssize_t Py_UNUSED(count))
{
    return Py_NewRef(self); /* bound to DISABLE */
}

static PyMethodDef callback_def = {"empty_callback", (PyCFunction)(void (*)(void))empty_callback,
                                   METH_FASTCALL, NULL};

static PyObject *monitoring_start(PyObject *self, PyObject *args)
{
    static const char *const names[] = {
        "PY_START",
        "LINE",
#if QC_HAVE_BRANCH_SIDES
        "BRANCH_LEFT",
        "BRANCH_RIGHT",
#endif
    };
    int branch;
    if (!PyArg_ParseTuple(args, "p:start", &branch)) {
        return NULL;
    }
    qc_state *state = qc_state_of_type(Py_TYPE(self));
    PyObject *monitoring = state->monitoring;
    PyObject *callback = PyCFunction_New(&callback_def, state->disable);
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    PyObject *result =
        events ? PyObject_CallMethod(monitoring, "use_tool_id", "is", TOOL_ID, "empty") : NULL;
    long all = 0;
    for (size_t k = 0; k < Py_ARRAY_LENGTH(names) && (branch || k < 2) && result; k++) {
        PyObject *bit = PyObject_GetAttrString(events, names[k]);
        Py_SETREF(result, bit ? PyObject_CallMethod(monitoring, "register_callback", "iOO", TOOL_ID,
                                                    bit, callback)
                              : NULL);
        all |= bit ? PyLong_AsLong(bit) : 0;
        Py_XDECREF(bit);
    }
    if (result != NULL) {
        Py_SETREF(result, PyObject_CallMethod(monitoring, "set_events", "il", TOOL_ID, all));
    }
    Py_XDECREF(callback);
    Py_XDECREF(events);
    return result;
}

static PyObject *monitoring_stop(PyObject *self, PyObject *Py_UNUSED(none))
{
    PyObject *monitoring = qc_state_of_type(Py_TYPE(self))->monitoring;
    PyObject *result = PyObject_CallMethod(monitoring, "set_events", "ii", TOOL_ID, 0);
    if (result != NULL) {
        Py_SETREF(result, PyObject_CallMethod(monitoring, "free_tool_id", "i", TOOL_ID));
    }
    return result;
}

static PyMethodDef monitoring_methods[] = {
    {"start", monitoring_start, METH_VARARGS,
     "start(branch): get line events, and those of branches where there are any, once each."},
    {"stop", monitoring_stop, METH_NOARGS, "Stop."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot monitoring_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("An empty sys.monitoring tool: the limit of monitoring.")},
    {Py_tp_methods, monitoring_methods},
    {0, NULL},
};

static PyType_Spec monitoring_spec = {
    .name = "quickcover._native.EmptyMonitoring",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = monitoring_slots,
};
#endif

static int add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int result = type != NULL ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return result;
}

int qc_limits_add(PyObject *module)
{
    if (add_type(module, &trace_spec) < 0) {
        return -1;
    }
#if QC_HAVE_MONITORING
    return add_type(module, &monitoring_spec);
#else
    return 0;
#endif
}
