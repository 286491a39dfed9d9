#include "qc_arcset.h"
#include "qc_pack.h"
#include "qc_test.h"

static void numbits_of_known_lines(void)
{
    /* As coverage.py's nums_to_numbits has them. */
    static const int32_t lines[] = {1, 2, 8, 15, 16, 3, 1};
    static const uint8_t expected[] = {0x0e, 0x81, 0x01};
    uint8_t out[4] = {0xff, 0xff, 0xff, 0xff};

    CHECK_EQ(qc_pack_numbits_size(lines, 7), 3);
    qc_pack_numbits(lines, 7, out);
    CHECK(memcmp(out, expected, 3) == 0);
    CHECK_EQ(out[3], 0xff);
}

static void numbits_of_odd_lines(void)
{
    static const int32_t negative[] = {-1, INT32_MIN}, zero[] = {0, -7};
    static const int32_t huge[] = {INT32_MAX, 1};
    uint8_t out = 0xff;

    CHECK_EQ(qc_pack_numbits_size(NULL, 0), 0);
    qc_pack_numbits(NULL, 0, NULL);
    CHECK_EQ(qc_pack_numbits_size(negative, 2), 0);
    qc_pack_numbits(negative, 2, NULL);
    CHECK_EQ(qc_pack_numbits_size(zero, 2), 1);
    qc_pack_numbits(zero, 2, &out);
    CHECK_EQ(out, 1);
    CHECK_EQ(qc_pack_numbits_size(huge, 2), 1 << 28);
}

static void numbits_agree_with_a_naive_blob(void)
{
    enum { MAX_LINE = 3000 };

    for (int round = 0; round < 200; round++) {
        static int32_t lines[500];
        static uint8_t out[MAX_LINE / 8 + 1];
        bool model[MAX_LINE + 8] = {false};
        size_t n = test_below(500), size;

        for (size_t i = 0; i < n; i++) {
            lines[i] = (int32_t)test_below(MAX_LINE);
            model[lines[i]] = true;
        }
        size = qc_pack_numbits_size(lines, n);
        CHECK(n == 0 || size <= sizeof out);
        qc_pack_numbits(lines, n, out);
        for (size_t bit = 0; bit < MAX_LINE; bit++) {
            bool set = bit / 8 < size && ((out[bit / 8] >> (bit % 8)) & 1) != 0;

            CHECK_EQ(set, model[bit]);
        }
        CHECK(size == 0 || out[size - 1] != 0);
    }
}

static int compare_lines(const void *left, const void *right)
{
    int32_t l = *(const int32_t *)left, r = *(const int32_t *)right;

    return (l > r) - (l < r);
}

static int compare_arcs(const void *left, const void *right)
{
    uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;
    int32_t l_from = qc_arc_from(l), r_from = qc_arc_from(r);
    int32_t l_to = qc_arc_to(l), r_to = qc_arc_to(r);

    return l_from != r_from ? (l_from > r_from) - (l_from < r_from) : (l_to > r_to) - (l_to < r_to);
}

/* Numbers in several shapes: small, signed, extreme, few different ones, sorted, reversed. */
static int32_t some_number(int shape, uint32_t i)
{
    static const int32_t extremes[] = {INT32_MIN, INT32_MIN + 1, -1,       0,
                                       1,         INT32_MAX - 1, INT32_MAX};

    switch (shape) {
    case 0:
        return (int32_t)test_below(1000);
    case 1:
        return (int32_t)test_below(1000) - 500;
    case 2:
        return (int32_t)(uint32_t)test_random();
    case 3:
        return extremes[test_below(7)];
    case 4:
        return (int32_t)i - 1000;
    default:
        return 1000 - (int32_t)i;
    }
}

static void ids_are_sorted_with_and_without_bits(void)
{
    enum { MOST = 5000 };
    static uint64_t bits[MOST / 64 + 1], zeros[MOST / 64 + 1];

    for (int round = 0; round < 100; round++) {
        uint32_t ids[300], n = 0, below = 1 + test_below(MOST);
        bool used[MOST] = {false};

        while (n < 300 && n < below / 2) {
            uint32_t id = test_below(below);

            if (!used[id]) {
                used[id] = true;
                ids[n++] = id;
            }
        }
        qc_pack_sort_ids(ids, n, round % 3 != 0 ? bits : NULL, below / 64 + 1);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(used[ids[i]] && (i == 0 || ids[i - 1] < ids[i]));
        }
        CHECK(memcmp(bits, zeros, sizeof bits) == 0);
    }
    qc_pack_sort_ids(NULL, 0, bits, 1);
}

static void sorting_agrees_with_qsort(void)
{
    static int32_t lines[3000], lines_model[3000];
    static uint64_t arcs[3000], arcs_model[3000];

    for (int round = 0; round < 300; round++) {
        uint32_t n = test_below(round < 200 ? 60 : 3000);

        for (uint32_t i = 0; i < n; i++) {
            lines[i] = lines_model[i] = some_number(round % 6, i);
            arcs[i] = arcs_model[i] =
                qc_arc_pack(some_number(round % 6, i), some_number(round % 5, i));
        }
        qc_pack_sort_lines(lines, n);
        qsort(lines_model, n, sizeof *lines, compare_lines);
        CHECK(n == 0 || memcmp(lines, lines_model, n * sizeof *lines) == 0);
        qc_pack_sort_arcs(arcs, n);
        qsort(arcs_model, n, sizeof *arcs, compare_arcs);
        CHECK(n == 0 || memcmp(arcs, arcs_model, n * sizeof *arcs) == 0);
    }
    qc_pack_sort_lines(NULL, 0);
    qc_pack_sort_arcs(NULL, 0);
}

/* Keys of any two processes must agree: these values, computed from the definition with another
 * program, never change. */
static void hash_is_the_same_everywhere(void)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";

    CHECK_EQ(qc_pack_hash(NULL, 0, 0), UINT64_C(0x4773545D6857A10B));
    CHECK_EQ(qc_pack_hash("", 0, 1), UINT64_C(0xFC9A0CC0DB1FAF34));
    CHECK_EQ(qc_pack_hash(text, 7, 0), UINT64_C(0x2132974EB1B384FB));
    CHECK_EQ(qc_pack_hash(text, 8, 0), UINT64_C(0x24AECA1C6E561101));
    CHECK_EQ(qc_pack_hash(text, 43, 0), UINT64_C(0x81F7C40A51224C5A));
    CHECK_EQ(qc_pack_hash(text, 43, UINT64_MAX), UINT64_C(0xD8ABCD39C2EEE335));
}

static void hash_reads_exactly_n_bytes_anywhere(void)
{
    uint8_t block[80];

    for (size_t n = 0; n <= 40; n++) {
        uint64_t first = 0;

        for (size_t offset = 0; offset < 16; offset++) {
            uint64_t hash;

            memset(block, (int)(offset * 7 + 1), sizeof block);
            for (size_t i = 0; i < n; i++) {
                block[offset + i] = (uint8_t)(i * 11);
            }
            hash = qc_pack_hash(block + offset, n, 5);
            first = offset == 0 ? hash : first;
            CHECK_EQ(hash, first);
        }
    }
}

static unsigned ones(uint64_t word)
{
    unsigned count = 0;

    for (; word != 0; word &= word - 1) {
        count++;
    }
    return count;
}

/* One changed bit of the data, the seed or one zero byte more changes about half of the bits. */
static void hash_spreads_each_bit(void)
{
    enum { ROUNDS = 200, BYTES = 33 };
    uint8_t block[BYTES + 1];
    unsigned long changed = 0, trials = 0;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = test_random(), plain;

        for (size_t i = 0; i < sizeof block; i++) {
            block[i] = (uint8_t)test_random();
        }
        block[BYTES] = 0;
        plain = qc_pack_hash(block, BYTES, seed);
        CHECK(ones(plain ^ qc_pack_hash(block, BYTES + 1, seed)) > 8);
        CHECK(ones(plain ^ qc_pack_hash(block, BYTES, seed ^ (UINT64_C(1) << (round % 64)))) > 8);
        for (unsigned bit = 0; bit < 8 * BYTES; bit++) {
            unsigned distance;

            block[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            distance = ones(plain ^ qc_pack_hash(block, BYTES, seed));
            block[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            CHECK(distance > 8);
            changed += distance;
            trials++;
        }
    }
    CHECK(changed > trials * 31 && changed < trials * 33);
}

static void hash_does_not_collide_on_small_inputs(void)
{
    const size_t n = 1 << 16;
    uint64_t *hashes = malloc(n * 2 * sizeof *hashes);

    if (!CHECK(hashes != NULL)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t two[2] = {(uint8_t)i, (uint8_t)(i >> 8)}, twenty[20] = {0};

        memcpy(twenty + 9, two, 2);
        hashes[2 * i] = qc_pack_hash(two, 2, 0);
        hashes[2 * i + 1] = qc_pack_hash(twenty, 20, 0);
    }
    qc_pack_sort_arcs(hashes, n * 2);
    for (size_t i = 1; i < n * 2; i++) {
        CHECK(hashes[i] != hashes[i - 1]);
    }
    free(hashes);
}

int main(void)
{
    RUN(numbits_of_known_lines);
    RUN(numbits_of_odd_lines);
    RUN(numbits_agree_with_a_naive_blob);
    RUN(ids_are_sorted_with_and_without_bits);
    RUN(sorting_agrees_with_qsort);
    RUN(hash_is_the_same_everywhere);
    RUN(hash_reads_exactly_n_bytes_anywhere);
    RUN(hash_spreads_each_bit);
    RUN(hash_does_not_collide_on_small_inputs);
    return test_report();
}
