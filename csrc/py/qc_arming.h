/* Arming code objects: which events of sys.monitoring each has. For the monitoring engine.
 *
 * A code object is armed with the tracer's local events; CPython then rewrites its bytecode. What a
 * callback switched off stays so until the events of that code object are taken away and set again.
 *
 * Functions return -1 with an exception set.
 */
#ifndef QC_ARMING_H
#define QC_ARMING_H

#include "qc_tracer.h"

/* Calls a function of sys.monitoring; `format` builds the tuple of its arguments. */
int qc_monitoring_call(qc_tracer *tracer, const char *name, const char *format, ...);

/* The number of an event in sys.monitoring.events. */
long qc_monitoring_event(qc_tracer *tracer, const char *name);

/* Sets the events that this code object is to have. */
int qc_arm(qc_tracer *tracer, qc_link *link);

/* Switches the events of a tracer (`context`) on again by which an armed code object was hit, place
 * by place: a few stores for each, where setting all events anew goes through the whole code. 0, or
 * 1 where only that helps. qc_store's `arm_hits`. */
int qc_arm_hits(qc_link *link, void *context);

/* The link of a code object that is measured by this tracer, and armed; NULL otherwise. */
qc_link *qc_armed_link(const qc_tracer *tracer, PyCodeObject *code);

/* Armed code is called, for the first or the second time: 1 if the next call is to be told, too.
 * The second call shows that looking for line events that never come is worth it: most code runs
 * once. */
int qc_called(qc_tracer *tracer, qc_link *link, bool second);

/* Takes its events away. */
int qc_disarm(qc_tracer *tracer, qc_link *link);

/* Makes the next start of a code object an event again: local events come and go, which makes
 * CPython forget what was switched off, as no global events are set now. */
int qc_revive(qc_tracer *tracer, qc_link *link);

/* The same for a code object whose link is another map's. */
int qc_revive_code(qc_tracer *tracer, PyCodeObject *code);

#endif
