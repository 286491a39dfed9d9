/* Code that is there already when the probe engine starts: functions, suspended generators, and
 * what frames that run will make functions and classes of.
 *
 * All functions need the GIL; they return 0, or -1 with an exception set.
 */
#ifndef QC_PROBE_ENTRY_H
#define QC_PROBE_ENTRY_H

#include "qc_tracer.h"

#if QC_HAVE_PROBES

/* Gives each of them the twin of its code. */
int qc_probe_enter(qc_tracer *tracer);

/* Gives functions, and the constants of code that ran, their original code again. */
int qc_probe_leave(qc_state *state);

#endif

#endif
