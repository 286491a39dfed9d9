/* quickcover._native: the module. See qc_engine_*.h for the engines, qc_store.h for the data. */
#include "qc_compat_probe.h"

#include "../core/qc_mem.h"
#include "qc_datafile.h"
#include "qc_dataread.h"
#include "qc_engine_monitoring.h"
#include "qc_engine_probe.h"
#include "qc_engine_trace.h"
#include "qc_example.h"
#include "qc_limits.h"
#include "qc_outline_call.h"
#include "qc_paint_call.h"
#include "qc_probe_hook.h"
#include "qc_probe_twin.h"
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

#if QC_HAVE_PROBES
PyDoc_STRVAR(armed_doc, "_armed(code)\n--\n\n"
                        "Return how many probes of a code object are armed; for tests.");

static PyObject *module_armed(PyObject *module, PyObject *arg)
{
    if (!PyCode_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "not a code object");
        return NULL;
    }
    const qc_twin *twin = qc_twin_of(qc_state_of_module(module)->map, (PyCodeObject *)arg);
    return PyLong_FromUnsignedLong(twin != NULL ? twin->armed_count + (twin->stub_units > 0) : 0);
}

PyDoc_STRVAR(
    instrument_doc,
    "_instrument(code)\n--\n\n"
    "Return the twin of a code object with all its probes armed, its bytes as they stand,\n"
    "and for each probe (its unit, the unit of its trampoline, its kind); for tests.");

static PyObject *module_instrument(PyObject *module, PyObject *arg)
{
    qc_tracer *tracer = qc_state_of_module(module)->map->prober;
    if (!PyCode_Check(arg) || tracer == NULL) {
        PyErr_SetString(PyExc_TypeError, "not a code object, or no probe engine runs");
        return NULL;
    }
    PyCodeObject *code = qc_probe_exchange(tracer, (PyCodeObject *)arg, NULL);
    qc_link *link = code != NULL ? qc_codemap_find(tracer->store->map, code) : NULL;
    if (link == NULL || link->twin == NULL || qc_probe_begin(tracer, link) < 0) {
        Py_XDECREF(code);
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    PyObject *probes = qc_twin_probes(link->twin);
    return Py_BuildValue("(Ny#N)", code, qc_code_bytes(code), 2 * (Py_ssize_t)qc_code_units(code),
                         probes);
}
#endif

PyDoc_STRVAR(
    in_map_doc,
    "run_in_the_way()\n--\n\n"
    "Return what keeps probes from being put into code for somebody else: \"session\" (it\n"
    "uses them), \"coverage\" (it measures, with probes or sys.monitoring), or \"\".");

static PyObject *module_run_in_the_way(PyObject *module, PyObject *Py_UNUSED(none))
{
    const qc_codemap *map = qc_state_of_module(module)->map;
    const qc_tracer *prober = map->prober;
    const char *who = prober != NULL      ? prober->store->session != NULL ? "session" : "coverage"
                      : map->monitors > 0 ? "coverage"
                                          : "";
    return PyUnicode_FromString(who);
}

PyDoc_STRVAR(
    outline_doc,
    "outline(text, debug, nested_fstrings)\n--\n\n"
    "Return the statements of valid source, names of functions and classes, and logical lines;\n"
    "None if it is not sure.");

PyDoc_STRVAR(paint_doc,
             "paint(text, keywords, soft_keywords, soft_lines, fstrings)\n--\n\n"
             "Return the lines of valid source as HTML, for reports; None if it is not sure.");

PyDoc_STRVAR(
    data_file_doc,
    "data_file(items, schema_version, meta, files, contexts, tracers, hits, branch)\n--\n\n"
    "Return a data file of coverage.py, for these tables and indexes, as bytes.");

PyDoc_STRVAR(data_rows_doc,
             "data_rows(content, root)\n--\n\n"
             "Return the rows of a table of SQLite as tuples; None if it can't be read.");

PyDoc_STRVAR(
    data_hits_doc,
    "data_hits(content, root, branch)\n--\n\n"
    "Return the hits of a data file, as data_file takes them, from the index of arcs or the\n"
    "table of lines; None if they can't be read.");

static PyMethodDef module_methods[] = {
    {"data_file", qc_datafile_call, METH_VARARGS, data_file_doc},
    {"data_hits", qc_dataread_hits_call, METH_VARARGS, data_hits_doc},
    {"data_rows", qc_dataread_rows_call, METH_VARARGS, data_rows_doc},
    {"outline", qc_outline_call, METH_VARARGS, outline_doc},
    {"paint", qc_paint_call, METH_VARARGS, paint_doc},
    {"run_in_the_way", module_run_in_the_way, METH_NOARGS, in_map_doc},
#if QC_HAVE_PROBES
    {"_armed", module_armed, METH_O, armed_doc},
    {"_instrument", module_instrument, METH_O, instrument_doc},
#endif
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

static int add_session(PyObject *module, qc_state *state)
{
    static const char doc[] =
        "A session was misused, or could not measure; the message says what was wrong.";
    if ((state->session_map = qc_codemap_new()) == NULL ||
        (state->atlas = qc_atlas_new()) == NULL ||
        (state->session_type = add_type(module, &qc_session_spec, NULL)) == NULL ||
        (state->example_type = add_type(module, &qc_example_spec, NULL)) == NULL) {
        return -1;
    }
    state->session_error =
        PyErr_NewExceptionWithDoc("quickcover.SessionError", doc, PyExc_RuntimeError, NULL);
    return state->session_error != NULL
               ? PyModule_AddObjectRef(module, "SessionError", state->session_error)
               : -1;
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

static int add_probe(PyObject *module, qc_state *state)
{
#if QC_HAVE_PROBES
    state->probe_type = add_type(module, &qc_probe_tracer_spec, state->tracer_type);
    state->hook_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &qc_hook_spec, NULL);
    if (state->probe_type == NULL || state->hook_type == NULL) {
        return -1;
    }
    state->hook = qc_hook_new(state->hook_type, state->map);
    state->entered = PyList_New(0);
    return state->hook != NULL && state->entered != NULL ? 0 : -1;
#else
    (void)module;
    (void)state;
    return 0;
#endif
}

/* The names of the engines that are there, preferred ones first. */
static PyObject *engine_names(const qc_state *state)
{
    PyObject *names = PyList_New(0);
    if (names == NULL) {
        return NULL;
    }
    const char *const all[] = {state->monitoring_type ? "monitoring" : NULL,
                               state->probe_type ? "probe" : NULL, "trace"};
    int result = 0;
    for (size_t k = 0; k < Py_ARRAY_LENGTH(all) && result == 0; k++) {
        PyObject *name = all[k] != NULL ? PyUnicode_FromString(all[k]) : NULL;
        result = name != NULL ? PyList_Append(names, name) : all[k] != NULL ? -1 : 0;
        Py_XDECREF(name);
    }
    PyObject *tuple = result == 0 ? PyList_AsTuple(names) : NULL;
    Py_DECREF(names);
    return tuple;
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
        add_session(module, state) < 0 || add_monitoring(module, state) < 0 ||
        add_probe(module, state) < 0 || qc_limits_add(module) < 0 || qc_realpath_add(module) < 0) {
        return -1;
    }
    PyObject *engines = engine_names(state);
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
    Py_VISIT(state->session_type);
    Py_VISIT(state->example_type);
    Py_VISIT(state->session_error);
    Py_VISIT(state->probe_type);
    Py_VISIT(state->hook_type);
    Py_VISIT(state->entered);
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
    Py_CLEAR(state->session_type);
    Py_CLEAR(state->example_type);
    Py_CLEAR(state->session_error);
    Py_CLEAR(state->probe_type);
    Py_CLEAR(state->hook_type);
    Py_CLEAR(state->entered);
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
    if (state->session_map != NULL) {
        qc_codemap_release(state->session_map);
        state->session_map = NULL;
    }
    qc_atlas_free(state->atlas);
    state->atlas = NULL;
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
