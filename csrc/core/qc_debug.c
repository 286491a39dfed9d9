#include "qc_debug.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void qc_debug_fail(const char *structure, const char *reason)
{
    fprintf(stderr, "quickcover: broken %s: %s\n", structure, reason);
    abort();
}
