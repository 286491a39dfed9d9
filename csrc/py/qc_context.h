/* Dynamic contexts that begin with a function: coverage.py's `dynamic_context`, and plugins.
 *
 * Which frame begins one, coverage.py says (should_start_context); that frame's way out ends it.
 * While one is active no other begins, as with coverage.py's tracer. Both functions run Python.
 */
#ifndef QC_CONTEXT_H
#define QC_CONTEXT_H

#include "qc_tracer.h"

/* May calls begin contexts at all? */
static inline bool qc_context_is_asked(const qc_tracer *tracer)
{
    return tracer->should_start_context != NULL && tracer->should_start_context != Py_None;
}

/* May a call of this code begin one? Always, but if only tests do: agrees with coverage.py's
 * test_function then, which would have to be asked at each call. */
bool qc_context_may_begin(const qc_tracer *tracer, PyCodeObject *code);

/* Is it named as a test? */
bool qc_context_is_test(PyCodeObject *code);

/* Does this frame begin a context? Then it is switched to. 1, 0, or -1 with an exception set. */
int qc_context_begin(qc_tracer *tracer, PyFrameObject *frame);

/* Switches back to no context. 0, or -1 with an exception set. */
int qc_context_end(qc_tracer *tracer);

/* Ends the context of a call that failed, and goes on failing: always -1. */
int qc_context_abandon(qc_tracer *tracer);

#endif
