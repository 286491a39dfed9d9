/*
 * qc_debug: what the debug builds (QC_DEBUG defined) do after a mutation. Each structure has a
 * qc_X_check that walks all of it; running it every time would make everything quadratic, so it
 * runs while a structure is small and whenever its size is a power of two.
 *
 * Not for: errors a user can cause. A failed check is a bug in this project, and it aborts.
 */
#ifndef QC_DEBUG_H
#define QC_DEBUG_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a structure of n elements is to be checked now. Any thread. */
static inline bool qc_debug_due(size_t n)
{
    return n <= 16 || (n & (n - 1)) == 0;
}

/* Says on stderr which structure is broken and why, then aborts. Any thread; never returns. */
_Noreturn void qc_debug_fail(const char *structure, const char *reason);

/* For qc_X_check: stores `reason` when the caller wants it (`out` may be NULL). Returns false. */
static inline bool qc_debug_broken(const char **out, const char *reason)
{
    if (out != NULL) {
        *out = reason;
    }
    return false;
}

#endif
