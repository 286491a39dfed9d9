/* Is this code measured, and into which file? coverage.py decides; its answers are cached.
 *
 * The functions call into Python the first time they see a file name, and, for files of a plugin
 * with dynamic file names, for each call. They need the GIL.
 */
#ifndef QC_DECIDE_H
#define QC_DECIDE_H

#include "qc_tracer.h"

typedef struct qc_verdict {
    qc_file *file;         /* NULL: not measured */
    PyObject *disposition; /* strong; NULL for files without a plugin */
    PyObject *file_tracer; /* strong; NULL for files without a plugin */
    bool dynamic;          /* asked again for each call: don't cache on the code object */
} qc_verdict;

/* 0, or -1 with an exception set. The caller owns the references in `verdict`. */
int qc_decide(qc_tracer *tracer, PyCodeObject *code, PyFrameObject *frame, qc_verdict *verdict);

void qc_verdict_clear(qc_verdict *verdict);

/* A plugin raised: prints the exception and disables the plugin, as coverage.py's tracer does. */
void qc_disable_plugin(qc_tracer *tracer, PyObject *disposition);

#endif
