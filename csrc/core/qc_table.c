#include "qc_table.h"

#include "qc_debug.h"
#include "qc_mem.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

static const uint32_t MAX_CAPACITY = UINT32_C(1) << 30;

static void verify(const qc_table *table)
{
#ifdef QC_DEBUG
    const char *reason = NULL;

    if (qc_debug_due(table->count) && !qc_table_check(table, &reason)) {
        qc_debug_fail("qc_table", reason);
    }
#else
    (void)table;
#endif
}

static bool same(qc_key left, qc_key right)
{
    return left.a == right.a && left.b == right.b;
}

/* Where the search for a key starts, before masking. */
static uint32_t start(qc_key key)
{
    uint64_t hash = (key.a ^ (key.b * UINT64_C(0xE7037ED1A0B428DB))) * UINT64_C(0x9E3779B97F4A7C15);

    hash ^= hash >> 32;
    return (uint32_t)((hash * UINT64_C(0xA0761D6478BD642F)) >> 32);
}

/* The slot that holds the key, or the empty one where it belongs. The table must have slots. */
static uint32_t locate(const qc_table_slot *slots, uint32_t capacity, qc_key key)
{
    uint32_t slot = start(key) & (capacity - 1);

    while (slots[slot].value != NULL && !same(slots[slot].key, key)) {
        slot = (slot + 1) & (capacity - 1);
    }
    return slot;
}

void qc_table_init(qc_table *table)
{
    memset(table, 0, sizeof *table);
}

void qc_table_free(qc_table *table)
{
    qc_free(table->slots, qc_table_bytes(table));
    qc_table_init(table);
}

void *qc_table_find(const qc_table *table, qc_key key)
{
    if (table->count == 0) {
        return NULL;
    }
    return table->slots[locate(table->slots, table->capacity, key)].value;
}

/* Doubles the slots, or changes nothing and returns -1. */
static int grow(qc_table *table)
{
    uint32_t capacity = table->capacity != 0 ? table->capacity * 2 : FIRST_CAPACITY;
    qc_table_slot *slots;

    if (table->capacity >= MAX_CAPACITY) {
        return -1;
    }
    /* Zero bytes are NULL pointers on every platform that CPython knows. */
    slots = qc_calloc(capacity, sizeof *slots);
    if (slots == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].value != NULL) {
            slots[locate(slots, capacity, table->slots[i].key)] = table->slots[i];
        }
    }
    qc_free(table->slots, qc_table_bytes(table));
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

int qc_table_insert(qc_table *table, qc_key key, void *value)
{
    if (value == NULL) {
        return -1;
    }
    if (qc_table_find(table, key) != NULL) {
        return 0;
    }
    if (table->count >= table->capacity - table->capacity / 4 && grow(table) < 0) {
        return -1;
    }
    table->slots[locate(table->slots, table->capacity, key)] = (qc_table_slot){key, value};
    table->count++;
    verify(table);
    return 1;
}

/* Fills a hole with followers whose search passes it, until an empty slot ends the chain. */
static void close_hole(qc_table *table, uint32_t hole)
{
    uint32_t mask = table->capacity - 1;

    for (uint32_t next = (hole + 1) & mask; table->slots[next].value != NULL;
         next = (next + 1) & mask) {
        uint32_t distance = (next - start(table->slots[next].key)) & mask;

        if (distance >= ((next - hole) & mask)) {
            table->slots[hole] = table->slots[next];
            hole = next;
        }
    }
    table->slots[hole] = (qc_table_slot){{0, 0}, NULL};
}

void *qc_table_remove(qc_table *table, qc_key key)
{
    uint32_t slot;
    void *value;

    if (table->count == 0) {
        return NULL;
    }
    slot = locate(table->slots, table->capacity, key);
    value = table->slots[slot].value;
    if (value != NULL) {
        close_hole(table, slot);
        table->count--;
        verify(table);
    }
    return value;
}

bool qc_table_next(const qc_table *table, uint32_t *cursor, qc_key *key, void **value)
{
    while (*cursor < table->capacity) {
        const qc_table_slot *slot = &table->slots[(*cursor)++];

        if (slot->value != NULL) {
            if (key != NULL) {
                *key = slot->key;
            }
            if (value != NULL) {
                *value = slot->value;
            }
            return true;
        }
    }
    return false;
}

size_t qc_table_bytes(const qc_table *table)
{
    return table->capacity * sizeof *table->slots;
}

bool qc_table_check(const qc_table *table, const char **reason)
{
    uint32_t used = 0;

    if ((table->slots == NULL) != (table->capacity == 0) ||
        (table->capacity & (table->capacity - 1)) != 0) {
        return qc_debug_broken(reason, "slots and capacity don't go together");
    }
    if (table->count > table->capacity - table->capacity / 4) {
        return qc_debug_broken(reason, "too full");
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        used += table->slots[i].value != NULL;
    }
    if (used != table->count) {
        return qc_debug_broken(reason, "used slots and count differ");
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].value != NULL &&
            locate(table->slots, table->capacity, table->slots[i].key) != i) {
            return qc_debug_broken(reason, "a key is not found, or is there twice");
        }
    }
    return true;
}

void qc_table_dump(const qc_table *table, FILE *out)
{
    fprintf(out, "table: %" PRIu32 " entries in %" PRIu32 " slots\n", table->count,
            table->capacity);
    for (uint32_t i = 0; i < table->capacity; i++) {
        const qc_table_slot *slot = &table->slots[i];

        if (slot->value != NULL) {
            fprintf(out, "  [%" PRIu32 "] %016" PRIx64 "%016" PRIx64 " -> %p\n", i, slot->key.a,
                    slot->key.b, slot->value);
        }
    }
}
