/* The ways code gets in: how the probe engine meets code before it runs.
 *
 * All functions need the GIL; they return 0, or -1 with an exception set.
 */
#ifndef QC_PROBE_ENTRY_H
#define QC_PROBE_ENTRY_H

#include "qc_tracer.h"

#if QC_HAVE_PROBES

/* Makes the functions that stand in for builtins.exec and eval; for the module's start. */
int qc_probe_entry_init(PyObject *module);

/* Watches for trace functions, for the rest of the process: CPython removes no audit hook. */
int qc_probe_watch(qc_codemap *map);

/* Puts them in place. */
int qc_probe_entry_open(qc_state *state);

/* Puts the originals back, where nobody else has put something. */
int qc_probe_entry_close(qc_state *state);

/* Gives every function, and every suspended generator, the twin of its code. */
int qc_probe_enter_functions(qc_tracer *tracer);

/* Gives every function that runs a twin its original code. */
int qc_probe_leave_functions(qc_state *state);

#endif

#endif
