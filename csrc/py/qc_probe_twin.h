/* Twins: instrumented copies of code objects, and their probes.
 *
 * A twin does what its original does and looks like it: co_code shows the code without probes,
 * and the hook that its trampolines ask stands behind the last constant, where only the
 * interpreter looks (it never checks the index of a constant). A probe that is armed leads to its
 * trampoline; there the hook's nb_bool records the hit and takes the probe out of the code, for
 * good or until it is armed again. A twin without armed probes runs as fast as its original.
 *
 * A twin keeps its original alive; it hangs on its link (qc_codemap.h) and dies with its code
 * object. All functions need the GIL.
 */
#ifndef QC_PROBE_TWIN_H
#define QC_PROBE_TWIN_H

#include "qc_codemap.h"

struct qc_probe;

typedef struct qc_twin {
    PyCodeObject *original; /* strong */
    struct qc_probe *probes;
    uint32_t probe_count, armed_count;
    PyObject *clean; /* strong; what co_code shows */
    uint32_t *places; /* unit of the original → its unit; NULL: the same, or `moved` */
    uint32_t units;   /* of the original */
    bool moved;
} qc_twin;

/* Frees a twin (NULL is ignored) whose code object dies, and gives its reference to the original
 * away. Runs no Python. */
PyCodeObject *qc_twin_free(qc_codemap *map, qc_twin *twin);

#if QC_HAVE_PROBES

extern PyType_Spec qc_hook_spec;

/* The object that trampolines ask; NULL with an exception set. Never freed: twins refer to it. */
PyObject *qc_hook_new(PyTypeObject *type, qc_codemap *map);

/* A tuple for `count` constants, to be filled by the caller, with the hook behind the last. */
PyObject *qc_twin_consts(Py_ssize_t count, PyObject *hook);

/* A twin of `code` with constants from qc_twin_consts(), none of its probes armed; a new reference.
 * NULL with an exception set, or without one if this code can't be instrumented. */
PyCodeObject *qc_twin_new(qc_codemap *map, PyCodeObject *code, PyObject *consts);

/* Arms the probes of a twin that can tell what the link's record lacks. */
void qc_twin_arm(qc_link *link, bool branches);

/* Takes all probes out. */
void qc_twin_disarm(qc_link *link);

/* Tells trace functions that trampolines have no lines: the location table ends before them, and
 * CPython's own table of lines would then hold anything. For every twin that a trace function may
 * see. 0, or -1 with MemoryError. */
int qc_twin_lay_out_lines(qc_link *link);

/* What CPython would show as _co_code_adaptive if there were no probes; NULL with MemoryError. */
PyObject *qc_twin_adaptive(const qc_link *link);

/* Where a unit of the original stands in the twin; -1 where that is not known. */
int64_t qc_twin_place(const qc_twin *twin, uint32_t unit);

#endif

#endif
