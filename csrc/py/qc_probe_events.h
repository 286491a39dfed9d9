/* What debuggers and other tools do to one code object or frame, where that is a twin.
 *
 * Local events of sys.monitoring that are set for a code object hold for its twin as well, and the
 * other way round. And a line is set for a frame (`frame.f_lineno = n`) without probes in its code:
 * CPython reads the code to find out whether it may.
 *
 * All functions need the GIL.
 */
#ifndef QC_PROBE_EVENTS_H
#define QC_PROBE_EVENTS_H

#include "qc_codemap.h"

#if QC_HAVE_PROBES

/* Stands in for CPython's functions from now on. 0, or -1 with an exception set. */
int qc_probe_events_open(qc_codemap *map);

/* Puts CPython's own back. */
void qc_probe_events_close(void);

/* Gives a twin the local events of its original. 0, or -1 with an exception set. */
int qc_probe_share_events(PyCodeObject *original, PyCodeObject *twin);

#endif

#endif
