/* The hook: the one object that all trampolines ask for its truth value, which is always true.
 *
 * Asking records the hit and takes the probe out. The hook finds the probe by the place that the
 * running frame is at, so copies of a twin's constants are harmless.
 */
#ifndef QC_PROBE_HOOK_H
#define QC_PROBE_HOOK_H

#include "qc_codemap.h"

#if QC_HAVE_PROBES

extern PyType_Spec qc_hook_spec;

/* NULL with an exception set. Never freed: twins refer to it. */
PyObject *qc_hook_new(PyTypeObject *type, qc_codemap *map);

/* What the running frame's bell (qc_probe_bell.h) is to call, a new reference; NULL without an
 * exception: it has none. */
PyObject *qc_hook_begin_ring(PyObject *hook);

#endif

#endif
