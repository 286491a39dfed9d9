/* The state of one module object: its types, its strings, the code map.
 *
 * There are no mutable statics in the extension. What must outlive the module (links of code
 * objects) lives in the code map, which is counted.
 */
#ifndef QC_STATE_H
#define QC_STATE_H

#include "qc_codemap.h"

struct qc_atlas;

/* Attribute names that are looked up or set on Python objects. */
#define QC_STRINGS(X)          \
    X(trace)                   \
    X(source_filename)         \
    X(file_tracer)             \
    X(has_dynamic_filename)    \
    X(dynamic_source_filename) \
    X(line_number_range)       \
    X(_coverage_plugin)        \
    X(_coverage_plugin_name)   \
    X(__code__)

typedef struct qc_state {
    qc_codemap *map;
    qc_codemap *session_map; /* of sessions, which measure beside other stores */
    struct qc_atlas *atlas;  /* what the ids of sessions stand for */
    PyTypeObject *store_type;
    PyTypeObject *tracer_type;
    PyTypeObject *trace_type;
    PyTypeObject *monitoring_type; /* NULL below 3.12 */
    PyTypeObject *session_type;
    PyTypeObject *example_type;
    PyObject *session_error; /* the exception class */
#define QC_DECLARE(name) PyObject *str_##name;
    QC_STRINGS(QC_DECLARE)
#undef QC_DECLARE
    PyTypeObject *probe_type; /* NULL where there are no probes; so are the following */
    PyTypeObject *hook_type;
    PyObject *entered;    /* list: code objects whose constants were exchanged as they ran */
    PyObject *hook;       /* what trampolines ask */
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
