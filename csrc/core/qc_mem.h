/*
 * qc_mem: the one allocator shim. Every byte the C core owns comes from here, so that one number
 * tells whether something leaked and one switch makes any allocation fail. Callers pass the size
 * back when they free or grow a block; therefore accounting needs no header in front of blocks.
 *
 * Not for: Python objects (they have their own allocators), and not for blocks that another
 * library frees.
 *
 * Threads: every function may be called from any thread, without a lock. The counters are the
 * only mutable statics of the core; they are atomic and never guard other data.
 */
#ifndef QC_MEM_H
#define QC_MEM_H

#include <stddef.h>

/* A block of `size` bytes, owned by the caller, contents undefined. A size of 0 gives a valid
 * block of its own. NULL: no memory, or a size above PTRDIFF_MAX. */
void *qc_malloc(size_t size);

/* Like qc_malloc for n * size bytes, zeroed. NULL also when the product overflows. */
void *qc_calloc(size_t n, size_t size);

/* Resizes the block `p` of `old_size` bytes (NULL and 0: a new block). On success `p` is gone and
 * the caller owns the result. NULL: no memory; `p` is then as it was and still the caller's.
 * A new size of 0 does not free. */
void *qc_realloc(void *p, size_t old_size, size_t new_size);

/* Frees a block; `size` is the one it was last given. NULL is ignored, whatever the size. */
void qc_free(void *p, size_t size);

/* Live bytes: what was asked for and is not freed yet, in the whole process. For leak checks. */
size_t qc_mem_bytes(void);

/* For tests only: the n-th allocation from now (1: the next one; qc_realloc counts) fails, all
 * others work. 0 or less: none fails any more. */
void qc_mem_fail_after(long n);

#endif
