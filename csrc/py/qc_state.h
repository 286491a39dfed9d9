/* The state of one module object: its types, its strings, the code map.
 *
 * There are no mutable statics in the extension. What must outlive the module (links of code
 * objects) lives in the code map, which is counted.
 */
#ifndef QC_STATE_H
#define QC_STATE_H

#include "qc_codemap.h"

/* Attribute names that are looked up on Python objects. */
#define QC_STRINGS(X) \
    X(trace)          \
    X(source_filename) \
    X(file_tracer)    \
    X(has_dynamic_filename) \
    X(dynamic_source_filename) \
    X(line_number_range) \
    X(_coverage_plugin) \
    X(_coverage_plugin_name)

typedef struct qc_state {
    qc_codemap *map;
    PyTypeObject *store_type;
    PyTypeObject *tracer_type;
    PyTypeObject *trace_type;
    PyTypeObject *monitoring_type; /* NULL below 3.12 */
#define QC_DECLARE(name) PyObject *str_##name;
    QC_STRINGS(QC_DECLARE)
#undef QC_DECLARE
    PyTypeObject *probe_type; /* NULL where there are no probes; so are the following */
    PyTypeObject *hook_type;
    PyObject *hook;                       /* what trampolines ask */
    PyObject *our_exec, *our_eval;        /* what stands in for builtins.exec and eval */
    PyObject *builtin_exec, *builtin_eval; /* what they stand in for */
    PyObject *monitoring; /* sys.monitoring; NULL below 3.12 */
    PyObject *disable;    /* sys.monitoring.DISABLE */
} qc_state;

extern struct PyModuleDef qc_module_def;

static inline qc_state *qc_state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

/* The state of the module that made `type` or a type it derives from; NULL with an exception. */
qc_state *qc_state_of_type(PyTypeObject *type);

#endif
