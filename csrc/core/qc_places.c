#include "qc_places.h"

#include "qc_debug.h"
#include "qc_mem.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

static const uint32_t MAX_PLACES = UINT32_C(1) << 30;

static void verify(const qc_places *places)
{
#ifdef QC_DEBUG
    const char *reason = NULL;

    if (qc_debug_due(places->count) && !qc_places_check(places, &reason)) {
        qc_debug_fail("qc_places", reason);
    }
#else
    (void)places;
#endif
}

static bool same(const qc_place *left, const qc_place *right)
{
    return left->kind == right->kind && left->owner == right->owner && left->a == right->a &&
           left->b == right->b;
}

/* Where the search for a place starts, before masking. */
static uint32_t start(const qc_place *place)
{
    uint64_t upper = (uint64_t)place->kind << 32 | place->owner;
    uint64_t lower = (uint64_t)(uint32_t)place->a << 32 | (uint32_t)place->b;

    return (uint32_t)qc_places_mix(qc_places_mix(upper) + lower);
}

/* The slot that holds the place, or the empty one where it belongs. There must be an index. */
static uint32_t locate(const qc_places *places, const qc_place *place)
{
    uint32_t slot = start(place) & places->mask;

    while (places->index[slot] != 0 && !same(&places->items[places->index[slot] - 1], place)) {
        slot = (slot + 1) & places->mask;
    }
    return slot;
}

void qc_places_init(qc_places *places)
{
    memset(places, 0, sizeof *places);
}

static size_t index_bytes(const qc_places *places)
{
    return places->index != NULL ? ((size_t)places->mask + 1) * sizeof *places->index : 0;
}

void qc_places_free(qc_places *places)
{
    qc_free(places->items, places->capacity * sizeof *places->items);
    qc_free(places->index, index_bytes(places));
    qc_places_init(places);
}

/* Makes room for one more item. */
static int grow_items(qc_places *places)
{
    uint32_t capacity = places->capacity != 0 ? places->capacity * 2 : FIRST_SLOTS / 2;
    qc_place *items =
        qc_realloc(places->items, places->capacity * sizeof *items, capacity * sizeof *items);

    if (items == NULL) {
        return -1;
    }
    places->items = items;
    places->capacity = capacity;
    return 0;
}

/* Doubles the index. */
static int grow_index(qc_places *places)
{
    uint32_t slots = places->index != NULL ? (places->mask + 1) * 2 : FIRST_SLOTS;
    uint32_t *index = qc_calloc(slots, sizeof *index);

    if (index == NULL) {
        return -1;
    }
    qc_free(places->index, index_bytes(places));
    places->index = index;
    places->mask = slots - 1;
    for (uint32_t id = 0; id < places->count; id++) {
        index[locate(places, &places->items[id])] = id + 1;
    }
    return 0;
}

int64_t qc_places_find(const qc_places *places, const qc_place *place)
{
    if (places->index == NULL) {
        return -1;
    }
    return (int64_t)places->index[locate(places, place)] - 1;
}

int64_t qc_places_add(qc_places *places, const qc_place *place)
{
    int64_t known = qc_places_find(places, place);

    if (known >= 0 || places->count >= MAX_PLACES) {
        return known;
    }
    if (places->count == places->capacity && grow_items(places) < 0) {
        return -1;
    }
    /* At most half full. */
    if ((places->index == NULL || places->count > places->mask / 2) && grow_index(places) < 0) {
        return -1;
    }
    places->index[locate(places, place)] = places->count + 1;
    places->items[places->count++] = *place;
    verify(places);
    return (int64_t)places->count - 1;
}

size_t qc_places_bytes(const qc_places *places)
{
    return places->capacity * sizeof *places->items + index_bytes(places);
}

bool qc_places_check(const qc_places *places, const char **reason)
{
    uint32_t used = 0;

    if ((places->index == NULL) != (places->mask == 0) ||
        (places->mask & (places->mask + 1)) != 0) {
        return qc_debug_broken(reason, "index and mask don't go together");
    }
    if (places->count > places->capacity || (places->items == NULL) != (places->capacity == 0)) {
        return qc_debug_broken(reason, "items and capacity don't go together");
    }
    for (uint32_t slot = 0; places->index != NULL && slot <= places->mask; slot++) {
        used += places->index[slot] != 0;
    }
    if (used != places->count) {
        return qc_debug_broken(reason, "used slots and count differ");
    }
    for (uint32_t id = 0; id < places->count; id++) {
        if (places->index[locate(places, &places->items[id])] != id + 1) {
            return qc_debug_broken(reason, "a place is not found, or is there twice");
        }
    }
    return true;
}

void qc_places_dump(const qc_places *places, FILE *out)
{
    fprintf(out, "places: %" PRIu32 "\n", places->count);
    for (uint32_t id = 0; id < places->count; id++) {
        const qc_place *place = &places->items[id];

        fprintf(out, "  [%" PRIu32 "] kind %" PRIu32 " of %" PRIu32 ": %" PRId32 ", %" PRId32 "\n",
                id, place->kind, place->owner, place->a, place->b);
    }
}
