/* Which tracer of the trace engine measures this thread: one, whatever passes for a thread.
 *
 * Greenlets may pass for threads (gevent's do), and coverage.py starts a tracer in each. But to
 * CPython they are one thread, with one trace function, which has to know the frames of all of
 * them. So a thread keeps, in its own dict, the tracer that was started in it first.
 *
 * All functions need the GIL, and are about the thread that calls them.
 */
#ifndef QC_THREAD_H
#define QC_THREAD_H

#include "qc_tracer.h"

/* The started tracer that this thread keeps, if it has the same store; else `tracer`. Borrowed. */
qc_tracer *qc_thread_tracer(qc_tracer *tracer);

/* Has the thread keep this one. 0, or -1 with an exception set. */
int qc_thread_keep(qc_tracer *tracer);

/* Has the thread keep none, if it keeps this one. Never fails. */
void qc_thread_forget(qc_tracer *tracer);

#endif
