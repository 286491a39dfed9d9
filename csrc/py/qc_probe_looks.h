/* What a program sees of twins: that they are like their originals.
 *
 * Twins compare and hash as their originals; `_co_code_adaptive`, `co_exceptiontable`,
 * `co_stacksize`, `replace()` and marshal leave out what was added. Code objects have one type in a
 * process, so what stands in for its slots is process-wide, and it stays when no engine runs: twins
 * may live on.
 *
 * All functions need the GIL.
 */
#ifndef QC_PROBE_LOOKS_H
#define QC_PROBE_LOOKS_H

#include "qc_codemap.h"

#if QC_HAVE_PROBES

/* Fills the slots. 0, or -1 with an exception set; more calls do nothing. */
int qc_probe_looks_open(qc_codemap *map);

#endif

#endif
