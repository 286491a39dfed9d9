#include "qc_pack.h"

#include <stdbool.h>
#include <string.h>

size_t qc_pack_numbits_size(const int32_t *lines, size_t n)
{
    int32_t largest = -1;

    for (size_t i = 0; i < n; i++) {
        if (lines[i] > largest) {
            largest = lines[i];
        }
    }
    return largest < 0 ? 0 : (size_t)largest / 8 + 1;
}

void qc_pack_numbits(const int32_t *lines, size_t n, uint8_t *out)
{
    size_t size = qc_pack_numbits_size(lines, n);

    if (size == 0) {
        return;
    }
    memset(out, 0, size);
    for (size_t i = 0; i < n; i++) {
        if (lines[i] >= 0) {
            uint32_t line = (uint32_t)lines[i];

            out[line / 8] = (uint8_t)(out[line / 8] | 1u << (line % 8));
        }
    }
}

/*
 * Sorting: radix exchange on unsigned keys, one bit after the other, from the highest bit in which
 * the keys differ (line numbers are small: about ten bits count). Not qsort: it calls through a
 * pointer, and glibc's allocates behind our allocator's back.
 */

enum { INSERTION_LIMIT = 24 };

/* Keys of either width; one of the two is NULL. */
typedef struct keys {
    uint32_t *narrow;
    uint64_t *wide;
} keys;

static inline uint64_t get(keys all, size_t i)
{
    return all.wide != NULL ? all.wide[i] : all.narrow[i];
}

static inline void set(keys all, size_t i, uint64_t key)
{
    if (all.wide != NULL) {
        all.wide[i] = key;
    } else {
        all.narrow[i] = (uint32_t)key;
    }
}

static bool is_sorted(keys all, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (get(all, i - 1) > get(all, i)) {
            return false;
        }
    }
    return true;
}

static void insertion_sort(keys all, size_t start, size_t end)
{
    for (size_t i = start + 1; i < end; i++) {
        uint64_t key = get(all, i);
        size_t hole = i;

        while (hole > start && get(all, hole - 1) > key) {
            set(all, hole, get(all, hole - 1));
            hole--;
        }
        set(all, hole, key);
    }
}

/* The highest bit that is set; differing is not 0. */
static uint64_t highest_bit(uint64_t differing)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        differing |= differing >> shift;
    }
    return differing ^ (differing >> 1);
}

/* Moves keys without the bit before those with it; returns where the latter begin. */
static size_t partition(keys all, size_t start, size_t end, uint64_t bit)
{
    while (start < end) {
        uint64_t key = get(all, start);

        if ((key & bit) == 0) {
            start++;
        } else {
            end--;
            set(all, start, get(all, end));
            set(all, end, key);
        }
    }
    return start;
}

/* Recursion is as deep as keys have bits, at most: each level settles one. */
static void radix_sort(keys all, size_t start, size_t end)
{
    while (end - start > INSERTION_LIMIT) {
        uint64_t first = get(all, start), differing = 0;
        size_t middle;

        for (size_t i = start + 1; i < end; i++) {
            differing |= get(all, i) ^ first;
        }
        if (differing == 0) {
            return;
        }
        middle = partition(all, start, end, highest_bit(differing));
        radix_sort(all, start, middle);
        start = middle;
    }
    insertion_sort(all, start, end);
}

static void sort(keys all, size_t n)
{
    if (n > 1 && !is_sorted(all, n)) {
        radix_sort(all, 0, n);
    }
}

/* Signed order is unsigned order once the sign bits are flipped. */
void qc_pack_sort_lines(int32_t *lines, size_t n)
{
    uint32_t *narrow = (uint32_t *)lines;

    for (size_t i = 0; i < n; i++) {
        narrow[i] ^= UINT32_C(0x80000000);
    }
    sort((keys){.narrow = narrow}, n);
    for (size_t i = 0; i < n; i++) {
        narrow[i] ^= UINT32_C(0x80000000);
    }
}

void qc_pack_sort_ids(uint32_t *ids, size_t n, uint64_t *bits, size_t bits_size)
{
    uint32_t *out = ids;

    if (bits == NULL || bits_size > 8 * n + 64) {
        /* Below 2^31 they are in the order of lines. */
        qc_pack_sort_lines((int32_t *)ids, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bits[ids[i] / 64] |= UINT64_C(1) << (ids[i] % 64);
    }
    for (size_t word = 0; word < bits_size; word++) {
        for (uint32_t id = (uint32_t)word * 64; bits[word] != 0; id++) {
            if (bits[word] & 1) {
                *out++ = id;
            }
            bits[word] >>= 1;
        }
    }
}

void qc_pack_sort_arcs(uint64_t *arcs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        arcs[i] ^= UINT64_C(0x8000000080000000);
    }
    sort((keys){.wide = arcs}, n);
    for (size_t i = 0; i < n; i++) {
        arcs[i] ^= UINT64_C(0x8000000080000000);
    }
}

/* Up to 8 bytes as a little-endian number, on every platform. */
static inline uint64_t load(const uint8_t *bytes, size_t n)
{
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    word *= UINT64_C(0xA0761D6478BD642F);
    word ^= word >> 32;
    hash = (hash ^ word) * UINT64_C(0xE7037ED1A0B428DB);
    return hash ^ (hash >> 29);
}

uint64_t qc_pack_hash(const void *data, size_t n, uint64_t seed)
{
    const uint8_t *bytes = data;
    uint64_t hash = mix(seed + UINT64_C(0x9E3779B97F4A7C15), (uint64_t)n);
    size_t i = 0;

    for (; n - i >= 8; i += 8) {
        hash = mix(hash, load(bytes + i, 8));
    }
    if (i < n) {
        hash = mix(hash, load(bytes + i, n - i));
    }
    /* The last word has met one multiplication only: let it reach all bits. */
    hash *= UINT64_C(0x8EBC6AF09C88C6E3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x589965CC75374CC3);
    return hash ^ (hash >> 29);
}
