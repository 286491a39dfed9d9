/*
 * qc_places: the places that have ids, for coverage of each example. An id is a position in one
 * vector, handed out when a place is first hit: so ids are dense, start at 0, and never change. A
 * place is a few numbers; what they mean is the caller's business (in the extension: a unit of a
 * code object, a line, an arc, an event). A hash index answers "known?".
 *
 * Not for: the path of every hit (callers remember ids where they hit them), and nothing is ever
 * taken out. At most 2^30 places.
 *
 * Threads: not synchronised. Calls that change the places exclude all other calls; the caller's
 * lock (in the extension: the GIL) sees to that.
 */
#ifndef QC_PLACES_H
#define QC_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct qc_place {
    uint32_t kind;
    uint32_t owner; /* number of a code object, a file ... */
    int32_t a, b;
    uint64_t hash; /* the same in every process; no part of what is compared */
} qc_place;

typedef struct qc_places {
    qc_place *items;   /* by id */
    uint32_t count;    /* ids in use */
    uint32_t capacity; /* room in items */
    uint32_t *index;   /* id + 1, or 0: empty; NULL until the first place */
    uint32_t mask;     /* slots of index - 1, a power of two minus one; 0 without an index */
} qc_places;

/* No places. Allocates nothing, can't fail. */
void qc_places_init(qc_places *places);

/* Releases the memory; the places are then as after init. */
void qc_places_free(qc_places *places);

/* The id of a place, a new one if need be; its hash is kept from then on. -1: no memory, or no id
 * left; nothing has changed then. */
int64_t qc_places_add(qc_places *places, const qc_place *place);

/* The id of a place, or -1 when it has none. */
int64_t qc_places_find(const qc_places *places, const qc_place *place);

/* Bytes of heap memory that the places own. */
size_t qc_places_bytes(const qc_places *places);

/* False when the structure is broken; then *reason (may be NULL) names the rule it breaks, a
 * static string. Allocates nothing. */
bool qc_places_check(const qc_places *places, const char **reason);

/* Writes the places as text, for a debugging human. */
void qc_places_dump(const qc_places *places, FILE *out);

/* The place with this id, or NULL; good until the next add. */
static inline const qc_place *qc_places_get(const qc_places *places, uint64_t id)
{
    return id < places->count ? &places->items[id] : NULL;
}

/* Stirs a number: each bit of it changes half of the bits of the result. */
static inline uint64_t qc_places_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 27;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

#endif
