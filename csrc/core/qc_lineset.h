/*
 * qc_lineset: a set of line numbers, in insertion order. A vector `items` holds the lines as they
 * came, so that an exporter that remembers k reads what is new as items[k..count). "Known?" is
 * answered by one bit of a growing bitmap for lines below QC_LINESET_DENSE; a qc_arcset takes over
 * above, so that a line such as 2,000,000,000 (generated code, hostile code) costs some bytes and
 * not a bitmap of 250 MB.
 *
 * Not for: numbers outside 0..2^31-2; they are ignored. Line 0 is that of an empty
 * module. The negative ends of arcs never get here. At most 2^27 lines.
 *
 * Threads: not synchronised. Calls that change a set exclude all other calls on the same set; the
 * caller's lock (in the extension: the GIL) sees to that. `items` moves when the set grows.
 */
#ifndef QC_LINESET_H
#define QC_LINESET_H

#include "qc_arcset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { QC_LINESET_DENSE = 1 << 20 }; /* the bitmap never takes more than 128 KiB */

typedef struct qc_lineset {
    int32_t *items;    /* lines, oldest first */
    uint32_t count;    /* lines in the set */
    uint32_t capacity; /* room in items */
    uint64_t *bits;    /* bit (line % 64) of word (line / 64); NULL until the first dense line */
    uint32_t limit;    /* lines below it have a bit; 64 * words of bits */
    qc_arcset sparse;  /* lines of QC_LINESET_DENSE and more, as packed arcs (0, line) */
} qc_lineset;

/* Makes an empty set. Allocates nothing, can't fail. */
void qc_lineset_init(qc_lineset *set);

/* Releases the memory; the set is then empty and usable, as after init. */
void qc_lineset_free(qc_lineset *set);

/* Forgets all lines and keeps the memory. */
void qc_lineset_clear(qc_lineset *set);

/* Bytes of heap memory that the set owns. */
size_t qc_lineset_bytes(const qc_lineset *set);

/* False when the structure is broken; then *reason (may be NULL) names the rule it breaks, a
 * static string. Allocates nothing. */
bool qc_lineset_check(const qc_lineset *set, const char **reason);

/* Writes the set as text, for a debugging human. */
void qc_lineset_dump(const qc_lineset *set, FILE *out);

/* The slow half of qc_lineset_add: any line that is not known to have its bit. Returns as
 * qc_lineset_add does. Not for callers; use qc_lineset_add. */
int qc_lineset_append(qc_lineset *set, int32_t line);

/* Whether the bitmap says that the line is known; false also for lines that it doesn't cover. */
static inline bool qc_lineset_has_dense(const qc_lineset *set, int32_t line)
{
    return (uint32_t)line < set->limit &&
           ((set->bits[(uint32_t)line / 64] >> ((uint32_t)line % 64)) & 1) != 0;
}

/* Whether the set holds the line. */
static inline bool qc_lineset_has(const qc_lineset *set, int32_t line)
{
    return qc_lineset_has_dense(set, line) ||
           (line >= QC_LINESET_DENSE && qc_arcset_has(&set->sparse, qc_arc_pack(0, line)));
}

/* Adds a line: 1 it is new, 0 it was known (or is no line number), -1 no memory (the set is
 * unchanged). */
static inline int qc_lineset_add(qc_lineset *set, int32_t line)
{
    return qc_lineset_has_dense(set, line) ? 0 : qc_lineset_append(set, line);
}

#endif
