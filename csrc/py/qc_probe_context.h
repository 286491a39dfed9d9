/* Contexts that begin with a function, on the probe engine.
 *
 * In code that is named as a test, probes tell where a frame begins or goes on, and where it is
 * left or suspended (QC_TELLS). They are armed while functions may begin contexts.
 */
#ifndef QC_PROBE_CONTEXT_H
#define QC_PROBE_CONTEXT_H

#include "qc_tracer.h"

/* Ends a context whose end went unseen: a test that calls itself has but one probe at each return,
 * which the inner call has taken out. -1 with an exception that is the program's. */
int qc_probe_context_check(qc_tracer *tracer);

/* The frame that runs begins or goes on, in the code of `link`: does a context begin with it? Its
 * probes are armed all the same. -1 with an exception that is the program's. */
int qc_probe_frame_begins(qc_tracer *tracer, qc_link *link);

/* The frame that runs is left or suspended: ends the context that began with it. As above. */
int qc_probe_frame_ends(qc_tracer *tracer, qc_link *link);

#endif
