/* The limits that benchmarks compare with: measuring that measures nothing (Python types).
 *
 * EmptyTrace is a C trace function that returns at once; EmptyMonitoring (3.12+) a sys.monitoring
 * tool whose C callbacks only return DISABLE. Never used to measure coverage.
 */
#ifndef QC_LIMITS_H
#define QC_LIMITS_H

#include "qc_state.h"

/* Adds the types to the module. 0, or -1 with an exception set. */
int qc_limits_add(PyObject *module);

#endif
