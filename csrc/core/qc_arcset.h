/*
 * qc_arcset: a set of arcs (from, to), both int32, in insertion order. A dense vector `items`
 * holds the arcs as they came; an open-addressing index of item positions answers "known?". So
 * an exporter that remembers k reads what is new as items[k..count), and adding a known arc costs
 * two multiplications and, mostly, one probe.
 *
 * Not for: removing single arcs (there is no such verb), and not for lines alone (qc_lineset is
 * smaller and faster). At most 2^27 arcs.
 *
 * Threads: not synchronised. Calls that change a set exclude all other calls on the same set; the
 * caller's lock (in the extension: the GIL) sees to that. `items` moves when the set grows.
 */
#ifndef QC_ARCSET_H
#define QC_ARCSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct qc_arcset {
    uint64_t *items;   /* packed arcs, oldest first */
    uint32_t count;    /* arcs in the set */
    uint32_t capacity; /* room in items */
    uint32_t *index;   /* position in items + 1, or 0: empty; NULL until the first add */
    uint32_t mask;     /* slots of index - 1, a power of two minus one; 0 without an index */
} qc_arcset;

/* One word for an arc: `from` in the upper half, `to` in the lower. */
static inline uint64_t qc_arc_pack(int32_t from, int32_t to)
{
    return ((uint64_t)(uint32_t)from << 32) | (uint32_t)to;
}

static inline int32_t qc_arc_from(uint64_t arc)
{
    return (int32_t)(uint32_t)(arc >> 32);
}

static inline int32_t qc_arc_to(uint64_t arc)
{
    return (int32_t)(uint32_t)arc;
}

/* Makes an empty set. Allocates nothing, can't fail. */
void qc_arcset_init(qc_arcset *set);

/* Releases the memory; the set is then empty and usable, as after init. */
void qc_arcset_free(qc_arcset *set);

/* Forgets all arcs and keeps the memory. */
void qc_arcset_clear(qc_arcset *set);

/* Bytes of heap memory that the set owns. */
size_t qc_arcset_bytes(const qc_arcset *set);

/* False when the structure is broken; then *reason (may be NULL) names the rule it breaks, a
 * static string. Allocates nothing. */
bool qc_arcset_check(const qc_arcset *set, const char **reason);

/* Writes the set as text, for a debugging human. */
void qc_arcset_dump(const qc_arcset *set, FILE *out);

/* The slow half of qc_arcset_add: adds an arc that is known to be missing. Returns 1, or -1 when
 * there is no memory (the set is unchanged). Callers use qc_arcset_add, unless they have asked
 * qc_arcset_has themselves. */
int qc_arcset_append(qc_arcset *set, uint64_t arc);

/* Where the search for an arc starts, before masking. One multiplication would do for most files,
 * but it keeps regular arcs regular: (n, n) for every 16th line n piles up 200 slots deep. */
static inline uint32_t qc_arcset_hash(uint64_t arc)
{
    arc *= UINT64_C(0x9E3779B97F4A7C15);
    arc ^= arc >> 32;
    arc *= UINT64_C(0xE7037ED1A0B428DB);
    return (uint32_t)(arc >> 32);
}

/* Whether the set holds the arc. */
static inline bool qc_arcset_has(const qc_arcset *set, uint64_t arc)
{
    uint32_t slot, position;

    if (set->count == 0) {
        return false;
    }
    slot = qc_arcset_hash(arc) & set->mask;
    while ((position = set->index[slot]) != 0) {
        if (set->items[position - 1] == arc) {
            return true;
        }
        slot = (slot + 1) & set->mask;
    }
    return false;
}

/* Adds an arc: 1 it is new, 0 it was known, -1 no memory (the set is unchanged). */
static inline int qc_arcset_add(qc_arcset *set, uint64_t arc)
{
    return qc_arcset_has(set, arc) ? 0 : qc_arcset_append(set, arc);
}

#endif
