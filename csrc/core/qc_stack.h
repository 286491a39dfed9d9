/* How much of its C stack a thread has used.
 *
 * Functions are safe in every thread, and allocate nothing but what the C library does.
 */
#ifndef QC_STACK_H
#define QC_STACK_H

#include <stdbool.h>

/* Has this thread used more than half of its C stack? Where the C library doesn't tell its size,
 * more than a hundred thousand bytes since it was asked for the first time. */
bool qc_stack_is_half_used(void);

#endif
