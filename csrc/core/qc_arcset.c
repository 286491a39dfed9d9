#include "qc_arcset.h"

#include "qc_debug.h"
#include "qc_mem.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_CAPACITY = 16, SLOTS_PER_ITEM = 2 };

static const uint32_t MAX_CAPACITY = UINT32_C(1) << 27; /* in bytes, it fits 32 bits */

static size_t items_bytes(const qc_arcset *set)
{
    return (size_t)set->capacity * sizeof *set->items;
}

static size_t index_slots(const qc_arcset *set)
{
    return set->index != NULL ? (size_t)set->mask + 1 : 0;
}

static void verify(const qc_arcset *set)
{
#ifdef QC_DEBUG
    const char *reason = NULL;

    if (qc_debug_due(set->count) && !qc_arcset_check(set, &reason)) {
        qc_debug_fail("qc_arcset", reason);
    }
#else
    (void)set;
#endif
}

void qc_arcset_init(qc_arcset *set)
{
    memset(set, 0, sizeof *set);
}

void qc_arcset_free(qc_arcset *set)
{
    qc_free(set->items, items_bytes(set));
    qc_free(set->index, index_slots(set) * sizeof *set->index);
    qc_arcset_init(set);
}

/* Empties the slot of the item at this position. It walks on over empty slots: earlier calls may
 * have made holes in its probe sequence. */
static void clear_slot(qc_arcset *set, uint32_t position)
{
    uint32_t slot = qc_arcset_hash(set->items[position]) & set->mask;

    while (set->index[slot] != position + 1) {
        slot = (slot + 1) & set->mask;
    }
    set->index[slot] = 0;
}

void qc_arcset_clear(qc_arcset *set)
{
    /* A big index with few arcs, as between short test contexts: don't touch all of it. */
    if (set->count < set->mask / 16) {
        for (uint32_t i = 0; i < set->count; i++) {
            clear_slot(set, i);
        }
    } else if (set->count != 0) {
        memset(set->index, 0, index_slots(set) * sizeof *set->index);
    }
    set->count = 0;
    verify(set);
}

static void place(uint32_t *index, uint32_t mask, uint64_t arc, uint32_t position)
{
    uint32_t slot = qc_arcset_hash(arc) & mask;

    while (index[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    index[slot] = position + 1;
}

/* Doubles items and index together, or changes nothing and returns -1. */
static int grow(qc_arcset *set)
{
    uint32_t capacity = set->capacity != 0 ? set->capacity * 2 : FIRST_CAPACITY;
    size_t slots = (size_t)capacity * SLOTS_PER_ITEM;
    uint32_t *index;
    uint64_t *items;

    if (set->capacity >= MAX_CAPACITY) {
        return -1;
    }
    index = qc_calloc(slots, sizeof *index);
    if (index == NULL) {
        return -1;
    }
    items = qc_realloc(set->items, items_bytes(set), capacity * sizeof *items);
    if (items == NULL) {
        qc_free(index, slots * sizeof *index);
        return -1;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        place(index, (uint32_t)(slots - 1), items[i], i);
    }
    qc_free(set->index, index_slots(set) * sizeof *set->index);
    set->items = items;
    set->capacity = capacity;
    set->index = index;
    set->mask = (uint32_t)(slots - 1);
    return 0;
}

int qc_arcset_append(qc_arcset *set, uint64_t arc)
{
    if (set->count == set->capacity && grow(set) < 0) {
        return -1;
    }
    place(set->index, set->mask, arc, set->count);
    set->items[set->count++] = arc;
    verify(set);
    return 1;
}

size_t qc_arcset_bytes(const qc_arcset *set)
{
    return items_bytes(set) + index_slots(set) * sizeof *set->index;
}

/* Whether the search for the item ends at the item itself, and not at a duplicate or a hole. */
static bool is_found(const qc_arcset *set, uint32_t position)
{
    uint32_t slot = qc_arcset_hash(set->items[position]) & set->mask;

    while (set->index[slot] != 0 && set->index[slot] <= set->count &&
           set->items[set->index[slot] - 1] != set->items[position]) {
        slot = (slot + 1) & set->mask;
    }
    return set->index[slot] == position + 1;
}

bool qc_arcset_check(const qc_arcset *set, const char **reason)
{
    size_t used = 0;

    if (set->count > set->capacity) {
        return qc_debug_broken(reason, "count above capacity");
    }
    if ((set->items == NULL) != (set->capacity == 0) || (set->index == NULL) != (set->mask == 0) ||
        (set->items == NULL) != (set->index == NULL)) {
        return qc_debug_broken(reason, "items and index don't go together");
    }
    if (set->index == NULL) {
        return true;
    }
    if (set->mask != (uint64_t)set->capacity * SLOTS_PER_ITEM - 1 ||
        (set->mask & (set->mask + 1)) != 0) {
        return qc_debug_broken(reason, "index of the wrong size");
    }
    for (size_t slot = 0; slot <= set->mask; slot++) {
        used += set->index[slot] != 0;
    }
    if (used != set->count) {
        return qc_debug_broken(reason, "used slots and items differ in number");
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (!is_found(set, i)) {
            return qc_debug_broken(reason, "an item is not found, or is there twice");
        }
    }
    return true;
}

void qc_arcset_dump(const qc_arcset *set, FILE *out)
{
    fprintf(out, "arcset: %" PRIu32 " arcs, capacity %" PRIu32 ", %zu index slots\n", set->count,
            set->capacity, index_slots(set));
    for (uint32_t i = 0; i < set->count; i++) {
        fprintf(out, "  [%" PRIu32 "] %" PRId32 " -> %" PRId32 "\n", i, qc_arc_from(set->items[i]),
                qc_arc_to(set->items[i]));
    }
}
