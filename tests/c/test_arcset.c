#include "qc_arcset.h"
#include "qc_test.h"

static void packing_keeps_both_ends(void)
{
    static const int32_t ends[] = {0, 1, -1, 2, 1000, -1000, INT32_MAX, INT32_MIN, INT32_MIN + 1};
    enum { N = sizeof ends / sizeof *ends };

    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            uint64_t arc = qc_arc_pack(ends[i], ends[j]);

            CHECK_EQ(qc_arc_from(arc), ends[i]);
            CHECK_EQ(qc_arc_to(arc), ends[j]);
        }
    }
    CHECK(qc_arc_pack(1, -1) != qc_arc_pack(-1, 1));
}

static void empty_set_needs_no_memory(void)
{
    qc_arcset set;

    qc_arcset_init(&set);
    CHECK(qc_arcset_check(&set, NULL));
    CHECK(!qc_arcset_has(&set, 0));
    CHECK_EQ(qc_arcset_bytes(&set), 0);
    qc_arcset_clear(&set);
    qc_arcset_free(&set);
    qc_arcset_free(&set);
}

static void items_are_in_insertion_order(void)
{
    qc_arcset set;

    qc_arcset_init(&set);
    for (int32_t i = 0; i < 1000; i++) {
        CHECK_EQ(qc_arcset_add(&set, qc_arc_pack(1000 - i, -i)), 1);
        CHECK_EQ(qc_arcset_add(&set, qc_arc_pack(1000 - i / 2, -(i / 2))), 0);
    }
    CHECK_EQ(set.count, 1000);
    for (int32_t i = 0; i < 1000; i++) {
        CHECK_EQ(set.items[i], qc_arc_pack(1000 - i, -i));
    }
    CHECK_EQ(qc_arcset_bytes(&set), qc_mem_bytes());
    qc_arcset_free(&set);
    CHECK_EQ(qc_arcset_add(&set, 7), 1);
    qc_arcset_free(&set);
}

static void clear_keeps_memory_and_forgets(void)
{
    qc_arcset set;
    size_t bytes;

    qc_arcset_init(&set);
    for (uint64_t i = 0; i < 5000; i++) {
        qc_arcset_add(&set, i * i);
    }
    bytes = qc_mem_bytes();
    /* Both ways to clear: a full set, then a nearly empty one, many times. */
    for (uint64_t round = 0; round < 50; round++) {
        qc_arcset_clear(&set);
        CHECK_EQ(set.count, 0);
        CHECK(qc_arcset_check(&set, NULL));
        CHECK(!qc_arcset_has(&set, 49));
        for (uint64_t i = 0; i < round * 20; i++) {
            CHECK_EQ(qc_arcset_add(&set, i * i), 1);
        }
        CHECK(qc_arcset_check(&set, NULL));
    }
    CHECK_EQ(qc_mem_bytes(), bytes);
    qc_arcset_free(&set);
}

/* An arc of a small world, so that hits and misses are both frequent. */
static uint64_t some_arc(void)
{
    static const int32_t odd_ends[] = {INT32_MIN, -1, 0, 1, INT32_MAX};

    if (test_below(20) == 0) {
        return qc_arc_pack(odd_ends[test_below(5)], odd_ends[test_below(5)]);
    }
    return qc_arc_pack((int32_t)test_below(40) - 10, (int32_t)test_below(40) - 10);
}

static bool naive_has(const uint64_t *items, size_t n, uint64_t arc)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i] == arc) {
            return true;
        }
    }
    return false;
}

static void agrees_with_a_naive_set(void)
{
    static uint64_t model[2000];
    qc_arcset set;

    qc_arcset_init(&set);
    for (int round = 0; round < 60; round++) {
        uint32_t steps = test_below(1500);
        size_t n = 0;

        for (uint32_t step = 0; step < steps; step++) {
            uint64_t arc = some_arc();
            bool known = naive_has(model, n, arc);

            CHECK_EQ(qc_arcset_has(&set, arc), known);
            CHECK_EQ(qc_arcset_add(&set, arc), !known);
            if (!known) {
                model[n++] = arc;
            }
        }
        CHECK_EQ(set.count, n);
        CHECK(n == 0 || memcmp(model, set.items, n * sizeof *model) == 0);
        CHECK(qc_arcset_check(&set, NULL));
        if (test_below(4) == 0) {
            qc_arcset_free(&set);
        }
        qc_arcset_clear(&set);
    }
    qc_arcset_free(&set);
}

/* The longest way from a home slot to where an arc is. */
static uint32_t longest_probe(const qc_arcset *set)
{
    uint32_t longest = 0;

    for (uint32_t slot = 0; slot <= set->mask; slot++) {
        if (set->index[slot] != 0) {
            uint32_t home = qc_arcset_hash(set->items[set->index[slot] - 1]) & set->mask;
            uint32_t way = (slot - home) & set->mask;

            longest = way > longest ? way : longest;
        }
    }
    return longest;
}

static void regular_arcs_do_not_pile_up(void)
{
    static const int32_t strides[] = {1, 2, 3, 10, 16, 256, 1024, 4096, 65536};

    for (int kind = 0; kind < 4; kind++) {
        for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
            qc_arcset set;

            qc_arcset_init(&set);
            for (int32_t i = 1; i <= 8000; i++) {
                int32_t line = i * strides[s];
                uint64_t arcs[] = {qc_arc_pack(line, line), qc_arc_pack(line, line + strides[s]),
                                   qc_arc_pack(-1, line), qc_arc_pack(line, -1)};

                CHECK_EQ(qc_arcset_add(&set, arcs[kind]), 1);
            }
            if (!CHECK(longest_probe(&set) < 60)) {
                printf("    kind %d, stride %d: %u\n", kind, (int)strides[s], longest_probe(&set));
            }
            qc_arcset_free(&set);
        }
    }
}

static void failure_changes_nothing(void)
{
    qc_arcset set;
    const char *reason = NULL;

    qc_arcset_init(&set);
    for (uint64_t arc = 0; arc < 16; arc++) {
        CHECK_EQ(qc_arcset_add(&set, arc), 1);
    }
    for (long n = 1; n <= 2; n++) {
        qc_mem_fail_after(n);
        CHECK_EQ(qc_arcset_add(&set, 100), -1);
        CHECK_EQ(set.count, 16);
        CHECK(!qc_arcset_has(&set, 100));
        CHECK(qc_arcset_check(&set, &reason));
    }
    CHECK_EQ(qc_arcset_add(&set, 3), 0);
    CHECK_EQ(qc_arcset_add(&set, 100), 1);
    qc_arcset_free(&set);
}

static void check_finds_damage(void)
{
    qc_arcset set, broken;
    const char *reason = NULL;
    uint32_t slot;

    qc_arcset_init(&set);
    for (uint64_t arc = 0; arc < 10; arc++) {
        qc_arcset_add(&set, arc);
    }
    broken = set;
    broken.count = 9;
    CHECK(!qc_arcset_check(&broken, &reason) && reason != NULL);
    broken = set;
    broken.count = 1000;
    CHECK(!qc_arcset_check(&broken, &reason));
    broken = set;
    broken.mask = 7;
    CHECK(!qc_arcset_check(&broken, NULL));
    broken = set;
    broken.index = NULL;
    CHECK(!qc_arcset_check(&broken, NULL));
    set.items[4] = 3;
    CHECK(!qc_arcset_check(&set, &reason));
    set.items[4] = 4;
    CHECK(qc_arcset_check(&set, &reason));
    slot = qc_arcset_hash(0) & set.mask;
    set.index[slot] = 4000;
    CHECK(!qc_arcset_check(&set, &reason));
    set.index[slot] = 1;
    CHECK(qc_arcset_check(&set, &reason));
    qc_arcset_free(&set);
}

static void dump_names_each_arc(void)
{
    FILE *out = tmpfile();
    const char *text;
    qc_arcset set;

    qc_arcset_init(&set);
    qc_arcset_add(&set, qc_arc_pack(-3, 17));
    if (!CHECK(out != NULL)) {
        return;
    }
    qc_arcset_dump(&set, out);
    text = test_dumped(out);
    CHECK(strstr(text, "1 arcs") != NULL);
    CHECK(strstr(text, "-3 -> 17") != NULL);
    qc_arcset_free(&set);
}

int main(void)
{
    RUN(packing_keeps_both_ends);
    RUN(empty_set_needs_no_memory);
    RUN(items_are_in_insertion_order);
    RUN(clear_keeps_memory_and_forgets);
    RUN(agrees_with_a_naive_set);
    RUN(regular_arcs_do_not_pile_up);
    RUN(failure_changes_nothing);
    RUN(check_finds_damage);
    RUN(dump_names_each_arc);
    return test_report();
}
