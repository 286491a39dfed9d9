/* Slots of CPython's function and code types that the probe engine stands in for while it runs.
 *
 * `function.__code__ = code` and types.FunctionType(code, ...) exchange the code for its twin; twins
 * compare and hash as their originals, and `_co_code_adaptive` leaves probes out. A process has one
 * of each of these types, so what stands in for their slots is process-wide, too.
 *
 * All functions need the GIL.
 */
#ifndef QC_PROBE_SLOTS_H
#define QC_PROBE_SLOTS_H

#include "qc_tracer.h"

#if QC_HAVE_PROBES

/* Fills the slots, for the prober of `map`. 0, or -1 with an exception set. */
int qc_probe_slots_open(qc_codemap *map);

/* Puts back what code goes through; what tells twins stays. */
void qc_probe_slots_close(void);

#endif

#endif
