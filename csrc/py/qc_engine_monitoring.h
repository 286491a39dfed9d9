/* The monitoring engine (3.12+): sys.monitoring with C callbacks; each place is switched off at
 * its first hit, so that code which was seen runs at full speed.
 *
 * PY_START, PY_RESUME and PY_THROW, globally, find code objects; what is measured gets local events
 * (LINE, and with branches BRANCH_LEFT, BRANCH_RIGHT, PY_RETURN: 3.14+). A callback finds the code
 * record by co_extra, sets a bit for the code unit, and returns DISABLE. With branches two kinds of
 * events stay on, as exceptions are no place that is passed again and again: PY_UNWIND, and the
 * line events where exception handlers begin (qc_record_landing says how long).
 *
 * A start sees everything again: events that an earlier start has switched off are switched on
 * again for the code objects met, by setting local events and unsetting them, because
 * sys.monitoring.restart_events() would do so to all tools and fails after 8,388,607 calls on
 * 3.13.0. A stop unsets all local events and gives the tool id back.
 *
 * When not: files of plugins, contexts that functions start, branches below 3.14.
 */
#ifndef QC_ENGINE_MONITORING_H
#define QC_ENGINE_MONITORING_H

#include "qc_tracer.h"

#if QC_HAVE_MONITORING
extern const qc_engine qc_engine_monitoring;
extern PyType_Spec qc_monitoring_tracer_spec;
#endif

#endif
