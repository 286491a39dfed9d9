/* The probe engine: probes in the bytecode that fire once and take themselves out.
 *
 * Code is exchanged for its instrumented twin (qc_probe_twin.h) before it runs: `builtins.exec` and
 * `eval` are replaced while the engine runs, and functions that exist at its start are given their
 * twins (qc_probe_entry.h). So it measures the whole process. It exists where qc_compat.h says
 * QC_HAVE_PROBES.
 */
#ifndef QC_ENGINE_PROBE_H
#define QC_ENGINE_PROBE_H

#include "qc_tracer.h"

#if QC_HAVE_PROBES

extern const qc_engine qc_engine_probe;

/* ProbeTracer, a subtype of Tracer. */
extern PyType_Spec qc_probe_tracer_spec;

/* What runs in place of `code`, whose globals are a dict or NULL if they are not known: its twin,
 * armed, if it is measured; else itself. A new reference, or NULL with an exception set. */
PyCodeObject *qc_probe_exchange(qc_tracer *tracer, PyCodeObject *code, PyObject *globals);

/* Is this code measured? 1 or 0, or -1 with an exception set. Nothing is kept of the answer. */
int qc_probe_measures(qc_tracer *tracer, PyCodeObject *code, PyObject *globals);

/* The code of a twin runs: it is woken, put on its record, and armed. 0, or -1 with an exception
 * set. */
int qc_probe_begin(qc_tracer *tracer, qc_link *link);

#endif

#endif
