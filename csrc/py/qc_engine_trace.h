/* The trace engine: PyEval_SetTrace with a C function, for every version and the whole contract.
 *
 * Each thread has a tracer, which keeps one entry for each frame that runs in it: the file, and
 * the last line as a plain integer. An event makes no Python object, touches no dict or set and
 * calls no Python function, but for files of plugins and where a dynamic context may start. For
 * each line of a code object the record remembers where it was last reached from: an arc that was
 * seen before costs one comparison; else it goes to the file's arc set.
 *
 * Entries are found by their frame, so frames that greenlets interleave need no id function.
 * Semantics are those of coverage.py's C tracer. When not: monitoring does the same at no cost,
 * where it can do what is asked.
 */
#ifndef QC_ENGINE_TRACE_H
#define QC_ENGINE_TRACE_H

#include "qc_tracer.h"

extern const qc_engine qc_engine_trace;
extern PyType_Spec qc_trace_tracer_spec;

#endif
