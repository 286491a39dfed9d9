/* quickcover._native: the module. See qc_engine_*.h for the engines, qc_store.h for the data. */
#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_engine_monitoring.h"
#include "qc_engine_trace.h"
#include "qc_limits.h"
#include "qc_realpath.h"
#include "qc_store.h"
#include "qc_tracer.h"

qc_state *qc_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &qc_module_def);
    return module != NULL ? qc_state_of_module(module) : NULL;
}

PyDoc_STRVAR(live_doc, "live()\n--\n\n"
                       "Return what is alive in the C core, for leak checks: bytes, code_links,\n"
                       "code_records.");

static PyObject *module_live(PyObject *module, PyObject *Py_UNUSED(none))
{
    qc_codemap *map = qc_state_of_module(module)->map;
    return Py_BuildValue("{snsnsn}", "bytes", (Py_ssize_t)qc_mem_bytes(), "code_links",
                         (Py_ssize_t)map->link_count, "code_records",
                         (Py_ssize_t)map->record_count);
}

PyDoc_STRVAR(fail_after_doc, "_fail_after(n)\n--\n\n"
                             "Make the n-th allocation of the C core from now fail; for tests.");

static PyObject *module_fail_after(PyObject *Py_UNUSED(module), PyObject *arg)
{
    long n = PyLong_AsLong(arg);
    if (n == -1 && PyErr_Occurred()) {
        return NULL;
    }
    qc_mem_fail_after(n);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"live", module_live, METH_NOARGS, live_doc},
    {"_fail_after", module_fail_after, METH_O, fail_after_doc},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    if (type != NULL && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static int add_strings(qc_state *state)
{
#define INTERN(name)                                                       \
    if ((state->str_##name = PyUnicode_InternFromString(#name)) == NULL) { \
        return -1;                                                         \
    }
    QC_STRINGS(INTERN)
#undef INTERN
    return 0;
}

static int add_monitoring(PyObject *module, qc_state *state)
{
#if QC_HAVE_MONITORING
    state->monitoring = Py_XNewRef(PySys_GetObject("monitoring"));
    if (state->monitoring == NULL) {
        PyErr_SetString(PyExc_ImportError, "quickcover needs sys.monitoring on this Python");
        return -1;
    }
    state->disable = PyObject_GetAttrString(state->monitoring, "DISABLE");
    if (state->disable == NULL) {
        return -1;
    }
    state->monitoring_type = add_type(module, &qc_monitoring_tracer_spec, state->tracer_type);
    return state->monitoring_type != NULL ? 0 : -1;
#else
    (void)module;
    (void)state;
    return 0;
#endif
}

static int module_exec(PyObject *module)
{
    qc_state *state = qc_state_of_module(module);
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "quickcover does not support subinterpreters");
        return -1;
    }
    if ((state->map = qc_codemap_new()) == NULL || add_strings(state) < 0 ||
        (state->store_type = add_type(module, &qc_store_spec, NULL)) == NULL ||
        (state->tracer_type = add_type(module, &qc_tracer_spec, NULL)) == NULL ||
        (state->trace_type = add_type(module, &qc_trace_tracer_spec, state->tracer_type)) == NULL ||
        add_monitoring(module, state) < 0 || qc_limits_add(module) < 0 ||
        qc_realpath_add(module) < 0) {
        return -1;
    }
    PyObject *engines = state->monitoring_type != NULL
                            ? Py_BuildValue("(ss)", "monitoring", "trace")
                            : Py_BuildValue("(s)", "trace");
    int result = engines != NULL ? PyModule_AddObjectRef(module, "ENGINES", engines) : -1;
    Py_XDECREF(engines);
    return result;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    qc_state *state = qc_state_of_module(module);
    Py_VISIT(state->store_type);
    Py_VISIT(state->tracer_type);
    Py_VISIT(state->trace_type);
    Py_VISIT(state->monitoring_type);
    Py_VISIT(state->monitoring);
    Py_VISIT(state->disable);
    return 0;
}

static int module_clear(PyObject *module)
{
    qc_state *state = qc_state_of_module(module);
    Py_CLEAR(state->store_type);
    Py_CLEAR(state->tracer_type);
    Py_CLEAR(state->trace_type);
    Py_CLEAR(state->monitoring_type);
    Py_CLEAR(state->monitoring);
    /* `disable` is given back by module_free: callbacks may still return it. */
#define CLEAR(name) Py_CLEAR(state->str_##name);
    QC_STRINGS(CLEAR)
#undef CLEAR
    return 0;
}

static void module_free(void *module)
{
    qc_state *state = qc_state_of_module(module);
    (void)module_clear(module);
    Py_CLEAR(state->disable);
    if (state->map != NULL) {
        qc_codemap_release(state->map);
        state->map = NULL;
    }
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if QC_HAVE_SUBINTERPRETER_SLOT
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

struct PyModuleDef qc_module_def = {
    PyModuleDef_HEAD_INIT,         .m_name = "quickcover._native", .m_doc = "quickcover's C core.",
    .m_size = sizeof(qc_state),    .m_methods = module_methods,    .m_slots = module_slots,
    .m_traverse = module_traverse, .m_clear = module_clear,        .m_free = module_free,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&qc_module_def);
}
