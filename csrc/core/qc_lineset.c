#include "qc_lineset.h"

#include "qc_debug.h"
#include "qc_mem.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_CAPACITY = 16, FIRST_LIMIT = 256, WORD_BITS = 64 };

static const uint32_t MAX_CAPACITY = UINT32_C(1) << 27; /* in bytes, it fits 32 bits */

static size_t items_bytes(const qc_lineset *set)
{
    return (size_t)set->capacity * sizeof *set->items;
}

static size_t bits_bytes(const qc_lineset *set)
{
    return set->limit / WORD_BITS * sizeof *set->bits;
}

static void verify(const qc_lineset *set)
{
#ifdef QC_DEBUG
    const char *reason = NULL;

    if (qc_debug_due(set->count) && !qc_lineset_check(set, &reason)) {
        qc_debug_fail("qc_lineset", reason);
    }
#else
    (void)set;
#endif
}

void qc_lineset_init(qc_lineset *set)
{
    memset(set, 0, sizeof *set);
    qc_arcset_init(&set->sparse);
}

void qc_lineset_free(qc_lineset *set)
{
    qc_free(set->items, items_bytes(set));
    qc_free(set->bits, bits_bytes(set));
    qc_arcset_free(&set->sparse);
    qc_lineset_init(set);
}

void qc_lineset_clear(qc_lineset *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t line = (uint32_t)set->items[i];

        if (line < set->limit) {
            set->bits[line / WORD_BITS] = 0;
        }
    }
    qc_arcset_clear(&set->sparse);
    set->count = 0;
    verify(set);
}

/* Makes room for one more item. */
static int grow_items(qc_lineset *set)
{
    uint32_t capacity = set->capacity != 0 ? set->capacity * 2 : FIRST_CAPACITY;
    int32_t *items;

    if (set->capacity >= MAX_CAPACITY) {
        return -1;
    }
    items = qc_realloc(set->items, items_bytes(set), capacity * sizeof *items);
    if (items == NULL) {
        return -1;
    }
    set->items = items;
    set->capacity = capacity;
    return 0;
}

/* Makes the bitmap cover a line below QC_LINESET_DENSE. */
static int grow_bits(qc_lineset *set, uint32_t line)
{
    uint32_t limit = set->limit != 0 ? set->limit : FIRST_LIMIT;
    size_t old_bytes = bits_bytes(set), new_bytes;
    uint64_t *bits;

    while (limit <= line) {
        limit *= 2;
    }
    new_bytes = limit / WORD_BITS * sizeof *bits;
    bits = qc_realloc(set->bits, old_bytes, new_bytes);
    if (bits == NULL) {
        return -1;
    }
    memset((char *)bits + old_bytes, 0, new_bytes - old_bytes);
    set->bits = bits;
    set->limit = limit;
    return 0;
}

/* Marks a new line as known; -1 when there is no memory. */
static int remember(qc_lineset *set, int32_t line)
{
    uint32_t number = (uint32_t)line;

    if (line >= QC_LINESET_DENSE) {
        return qc_arcset_append(&set->sparse, qc_arc_pack(0, line));
    }
    if (number >= set->limit && grow_bits(set, number) < 0) {
        return -1;
    }
    set->bits[number / WORD_BITS] |= UINT64_C(1) << (number % WORD_BITS);
    return 0;
}

int qc_lineset_append(qc_lineset *set, int32_t line)
{
    if (line < 0 || line == INT32_MAX || qc_lineset_has(set, line)) {
        return 0;
    }
    if (set->count == set->capacity && grow_items(set) < 0) {
        return -1;
    }
    if (remember(set, line) < 0) {
        return -1;
    }
    set->items[set->count++] = line;
    verify(set);
    return 1;
}

size_t qc_lineset_bytes(const qc_lineset *set)
{
    return items_bytes(set) + bits_bytes(set) + qc_arcset_bytes(&set->sparse);
}

/* One line's share in a sum that tells, order aside, two sets of lines from each other. */
static uint64_t fingerprint(uint64_t line)
{
    line++; /* line 0 counts, too */
    return line * line * UINT64_C(0x9E3779B97F4A7C15) + line;
}

/* Number and fingerprint of the lines in the bitmap. */
static uint32_t count_bits(const qc_lineset *set, uint64_t *sum)
{
    uint32_t count = 0;

    for (uint32_t word = 0; word < set->limit / WORD_BITS; word++) {
        uint64_t rest = set->bits[word];

        for (uint32_t bit = 0; rest != 0; bit++, rest >>= 1) {
            if ((rest & 1) != 0) {
                *sum += fingerprint((uint64_t)word * WORD_BITS + bit);
                count++;
            }
        }
    }
    return count;
}

bool qc_lineset_check(const qc_lineset *set, const char **reason)
{
    uint64_t items_sum = 0, known_sum = 0;

    if (!qc_arcset_check(&set->sparse, reason)) {
        return false;
    }
    if (set->count > set->capacity || (set->items == NULL) != (set->capacity == 0)) {
        return qc_debug_broken(reason, "count, capacity and items don't go together");
    }
    if ((set->bits == NULL) != (set->limit == 0) || set->limit > QC_LINESET_DENSE ||
        (set->limit & (set->limit - 1)) != 0) {
        return qc_debug_broken(reason, "bitmap of the wrong size");
    }
    if (count_bits(set, &known_sum) + set->sparse.count != set->count) {
        return qc_debug_broken(reason, "known lines and items differ in number");
    }
    for (uint32_t i = 0; i < set->sparse.count; i++) {
        known_sum += fingerprint(set->sparse.items[i]);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i] < 0 || !qc_lineset_has(set, set->items[i])) {
            return qc_debug_broken(reason, "an item is no line number or not known");
        }
        items_sum += fingerprint((uint64_t)set->items[i]);
    }
    if (items_sum != known_sum) {
        return qc_debug_broken(reason, "an item is there twice");
    }
    return true;
}

void qc_lineset_dump(const qc_lineset *set, FILE *out)
{
    fprintf(out,
            "lineset: %" PRIu32 " lines, capacity %" PRIu32 ", bitmap below %" PRIu32 ", %" PRIu32
            " sparse\n ",
            set->count, set->capacity, set->limit, set->sparse.count);
    for (uint32_t i = 0; i < set->count; i++) {
        fprintf(out, " %" PRId32, set->items[i]);
    }
    fputc('\n', out);
}
