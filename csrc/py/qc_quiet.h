/* Line events that never come, switched off.
 *
 * CPython puts INSTRUMENTED_LINE at every target of a jump, and where one runs right after another
 * instruction of the same line it calls nobody: so nobody can answer DISABLE, and the place stays
 * slow for good. The loop of a comprehension is such a place, and what follows the `or` in `a or
 * b`. Here they are found, and put into the state that a DISABLE would leave.
 */
#ifndef QC_QUIET_H
#define QC_QUIET_H

#include "qc_record.h"

/* Finds them in the link's code, for which `tool` has line events set, and switches them off.
 * Without memory, or where CPython's data are in another state, nothing is done: all is slower
 * then, and nothing lost. */
void qc_quiet(qc_link *link, int tool);

/* Switches off again what was found, when line events were set anew. */
void qc_quiet_again(qc_link *link, int tool);

#endif
