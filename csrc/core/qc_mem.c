#include "qc_mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t live_bytes;
static atomic_long fail_countdown; /* allocations until the one that fails; <= 0: none does */

static bool may_allocate(size_t size)
{
    if (size > PTRDIFF_MAX) {
        return false;
    }
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0) {
        return true;
    }
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) != 1;
}

static void account(size_t added, size_t removed)
{
    if (added != removed) { /* modulo SIZE_MAX + 1, that is right for less, too */
        atomic_fetch_add_explicit(&live_bytes, added - removed, memory_order_relaxed);
    }
}

void *qc_malloc(size_t size)
{
    return qc_realloc(NULL, 0, size);
}

void *qc_calloc(size_t n, size_t size)
{
    enum { SMALL = 1024 };
    void *block;

    if (size != 0 && n > PTRDIFF_MAX / size) {
        return NULL;
    }
    if (!may_allocate(n * size)) {
        return NULL;
    }
    /* For large blocks, calloc gets zero pages and touches none. For small ones, glibc's doesn't
     * look for a block that the thread has just freed, as malloc does. */
    block = n * size > SMALL ? calloc(n * size, 1) : malloc(n * size != 0 ? n * size : 1);
    if (block != NULL && n * size <= SMALL) {
        memset(block, 0, n * size);
    }
    if (block != NULL) {
        account(n * size, 0);
    }
    return block;
}

void *qc_realloc(void *p, size_t old_size, size_t new_size)
{
    void *block;

    if (!may_allocate(new_size)) {
        return NULL;
    }
    /* The standard leaves realloc to size 0 open: some free, some don't. */
    block = realloc(p, new_size != 0 ? new_size : 1);
    if (block != NULL) {
        account(new_size, old_size);
    }
    return block;
}

void qc_free(void *p, size_t size)
{
    if (p != NULL) {
        free(p);
        account(0, size);
    }
}

size_t qc_mem_bytes(void)
{
    return atomic_load_explicit(&live_bytes, memory_order_relaxed);
}

void qc_mem_fail_after(long n)
{
    atomic_store_explicit(&fail_countdown, n, memory_order_relaxed);
}
