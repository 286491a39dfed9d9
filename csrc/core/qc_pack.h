/*
 * qc_pack: bulk export. Lines as coverage.py's numbits blobs, lines and arcs in order, and a hash
 * of bytes for the keys of code records. All of it works on the caller's memory and allocates
 * nothing.
 *
 * Not for: incremental work (the sets do that), and the hash is no defence against somebody who
 * makes collisions on purpose.
 *
 * Threads: pure functions of their arguments; any thread.
 */
#ifndef QC_PACK_H
#define QC_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the numbits blob of these lines: largest line / 8 + 1, or 0 when there is no line.
 * Negative numbers don't count. A large line makes a large blob (up to 256 MiB): the caller
 * decides whether it wants that. */
size_t qc_pack_numbits_size(const int32_t *lines, size_t n);

/* Writes the blob: bit b of byte k is set if and only if line 8 * k + b is there. `out` has
 * qc_pack_numbits_size(lines, n) bytes; all are written. Lines in any order, duplicates are fine,
 * negative numbers are skipped. */
void qc_pack_numbits(const int32_t *lines, size_t n, uint8_t *out);

/* Sorts lines, ascending. In place, no worst case above n * 32 steps. */
void qc_pack_sort_lines(int32_t *lines, size_t n);

/* Sorts packed arcs (qc_arc_pack) by from, then to, both as signed numbers. In place, no worst
 * case above n * 64 steps. */
void qc_pack_sort_arcs(uint64_t *arcs, size_t n);

/* Sorts different numbers, ascending. `bits` are the caller's, all 0 before and after, one for each
 * number below `bits_size` * 64: with few of them in all, this is much faster than comparing. NULL
 * for no bits. */
void qc_pack_sort_ids(uint32_t *ids, size_t n, uint64_t *bits, size_t bits_size);

/* A 64-bit hash of n bytes, the same in every process and on every platform, for all time. Two
 * seeds give two independent hashes. `data` may be NULL when n is 0. */
uint64_t qc_pack_hash(const void *data, size_t n, uint64_t seed);

#endif
