/* Contexts that a plugin begins, on the probe engine: it is asked about every call.
 *
 * Probes tell of measured code, and of the first time alone; so while no context is open, an
 * evaluator (qc_compat_evaluator.h) is given each frame that begins or goes on. While one is open,
 * none can begin: CPython evaluates its frames by itself, and measured code runs at its speed.
 *
 * All functions need the GIL.
 */
#ifndef QC_PROBE_CALLS_H
#define QC_PROBE_CALLS_H

#include "qc_tracer.h"

#if QC_HAVE_PROBES

struct qc_probe;

/* Sees every call from now on if a plugin is to be asked, for the prober of `map`. */
void qc_probe_calls_open(qc_codemap *map);

void qc_probe_calls_close(void);

/* Is this probe passed because the plugin is asked? Then nothing is to be recorded, and the probe
 * is out of the code until the plugin has answered: coverage.py's tracers don't see what they run.
 */
bool qc_probe_calls_passes(qc_link *link, struct qc_probe *probe);

#endif

#endif
