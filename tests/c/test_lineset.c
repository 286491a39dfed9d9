#include "qc_lineset.h"
#include "qc_test.h"

static void empty_set_needs_no_memory(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    CHECK(qc_lineset_check(&set, NULL));
    CHECK(!qc_lineset_has(&set, 1));
    CHECK(!qc_lineset_has(&set, 2000000000));
    CHECK_EQ(qc_lineset_bytes(&set), 0);
    qc_lineset_clear(&set);
    qc_lineset_free(&set);
    qc_lineset_free(&set);
}

static void what_is_no_line_is_ignored(void)
{
    static const int32_t no_lines[] = {-1, -5, INT32_MIN, INT32_MIN + 1, INT32_MAX};
    qc_lineset set;

    qc_lineset_init(&set);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof no_lines / sizeof *no_lines; i++) {
            CHECK_EQ(qc_lineset_add(&set, no_lines[i]), 0);
            CHECK(!qc_lineset_has(&set, no_lines[i]));
        }
        CHECK_EQ(set.count, (uint32_t)round);
        CHECK_EQ(qc_lineset_add(&set, 1), !round);
    }
    qc_lineset_free(&set);
}

static void huge_lines_cost_little(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    CHECK_EQ(qc_lineset_add(&set, 2000000000), 1);
    CHECK_EQ(qc_lineset_add(&set, INT32_MAX - 1), 1);
    CHECK_EQ(qc_lineset_add(&set, 2000000000), 0);
    CHECK(qc_lineset_has(&set, INT32_MAX - 1));
    CHECK(!qc_lineset_has(&set, INT32_MAX - 2));
    CHECK(qc_mem_bytes() < 1000);
    CHECK_EQ(qc_lineset_add(&set, QC_LINESET_DENSE - 1), 1);
    CHECK_EQ(set.sparse.count, 2);
    CHECK_EQ(qc_lineset_add(&set, QC_LINESET_DENSE), 1);
    CHECK_EQ(set.sparse.count, 3);
    CHECK(qc_mem_bytes() < 140000);
    CHECK_EQ(qc_lineset_bytes(&set), qc_mem_bytes());
    CHECK(qc_lineset_check(&set, NULL));
    qc_lineset_free(&set);
}

static void hostile_lines_stay_proportional(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    for (uint32_t i = 0; i < 100000; i++) {
        CHECK(qc_lineset_add(&set, (int32_t)(test_random() >> 33)) >= 0);
    }
    CHECK(qc_lineset_check(&set, NULL));
    CHECK(qc_mem_bytes() < 100000 * 40 + 140000);
    qc_lineset_free(&set);
}

static void items_are_in_insertion_order(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    for (int32_t i = 0; i < 3000; i++) {
        CHECK_EQ(qc_lineset_add(&set, 3000 - i), 1);
        CHECK_EQ(qc_lineset_add(&set, 3000 - i / 2), 0);
    }
    for (int32_t i = 0; i < 3000; i++) {
        CHECK_EQ(set.items[i], 3000 - i);
    }
    qc_lineset_free(&set);
}

static void the_bitmap_grows_at_its_very_end(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    for (int32_t line = 1; line <= 5000; line++) {
        CHECK(!qc_lineset_has(&set, line));
        CHECK_EQ(qc_lineset_add(&set, line), 1);
        CHECK((uint32_t)line < set.limit);
    }
    CHECK(qc_lineset_check(&set, NULL));
    qc_lineset_free(&set);
}

/* Lines of several worlds: ordinary, around the end of the bitmap, huge, and none. */
static int32_t some_line(void)
{
    switch (test_below(10)) {
    case 0:
        return QC_LINESET_DENSE - 20 + (int32_t)test_below(40);
    case 1:
        return INT32_MAX - (int32_t)test_below(30);
    case 2:
        return -(int32_t)test_below(5);
    case 3:
        return (int32_t)test_below(100000);
    default:
        return (int32_t)test_below(500);
    }
}

static bool naive_has(const int32_t *items, size_t n, int32_t line)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i] == line) {
            return true;
        }
    }
    return false;
}

static void agrees_with_a_naive_set(void)
{
    static int32_t model[2000];
    qc_lineset set;

    qc_lineset_init(&set);
    for (int round = 0; round < 200; round++) {
        uint32_t steps = test_below(1500);
        size_t n = 0;

        for (uint32_t step = 0; step < steps; step++) {
            int32_t line = some_line();
            bool known = naive_has(model, n, line);
            bool taken = !known && line >= 0 && line < INT32_MAX;

            CHECK_EQ(qc_lineset_has(&set, line), known);
            CHECK_EQ(qc_lineset_add(&set, line), taken);
            if (taken) {
                model[n++] = line;
            }
        }
        CHECK_EQ(set.count, n);
        CHECK(n == 0 || memcmp(model, set.items, n * sizeof *model) == 0);
        CHECK(qc_lineset_check(&set, NULL));
        if (test_below(4) == 0) {
            qc_lineset_free(&set);
        }
        qc_lineset_clear(&set);
        CHECK(qc_lineset_check(&set, NULL));
    }
    qc_lineset_free(&set);
}

static void failure_changes_nothing(void)
{
    /* Into an empty set, into a full vector, beyond the bitmap, into the sparse part. */
    static const int32_t next[] = {1, 17, 5000, 2000000000};

    for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
        long n = 0;
        int added;

        do {
            qc_lineset set;
            uint32_t count = i == 0 ? 0 : 16;

            qc_lineset_init(&set);
            for (uint32_t line = 1; line <= count; line++) {
                CHECK_EQ(qc_lineset_add(&set, (int32_t)line), 1);
            }
            qc_mem_fail_after(++n);
            added = qc_lineset_add(&set, next[i]);
            qc_mem_fail_after(0);
            CHECK_EQ(set.count, count + (added == 1));
            CHECK_EQ(qc_lineset_has(&set, next[i]), added == 1);
            CHECK(qc_lineset_check(&set, NULL));
            CHECK_EQ(qc_lineset_add(&set, next[i]), added < 0);
            CHECK_EQ(set.count, count + 1);
            qc_lineset_free(&set);
        } while (added < 0);
        CHECK(n > 1);
    }
}

static void known_lines_need_no_memory(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    for (int32_t i = 0; i < 16; i++) {
        CHECK_EQ(qc_lineset_add(&set, i % 2 == 0 ? i + 1 : 2000000000 + i), 1);
    }
    CHECK_EQ(set.count, set.capacity);
    for (int32_t i = 0; i < 16; i++) {
        qc_mem_fail_after(1);
        CHECK_EQ(qc_lineset_add(&set, i % 2 == 0 ? i + 1 : 2000000000 + i), 0);
    }
    qc_mem_fail_after(0);
    qc_lineset_free(&set);
}

static void check_finds_damage(void)
{
    qc_lineset set, broken;
    const char *reason = NULL;

    qc_lineset_init(&set);
    for (int32_t line = 1; line <= 10; line++) {
        qc_lineset_add(&set, line);
    }
    qc_lineset_add(&set, 2000000000);
    broken = set;
    broken.count = 5;
    CHECK(!qc_lineset_check(&broken, &reason) && reason != NULL);
    broken = set;
    broken.capacity = 3;
    CHECK(!qc_lineset_check(&broken, NULL));
    broken = set;
    broken.limit = 192;
    CHECK(!qc_lineset_check(&broken, NULL));
    broken = set;
    broken.sparse.count = 0;
    CHECK(!qc_lineset_check(&broken, NULL));
    set.items[3] = 5;
    CHECK(!qc_lineset_check(&set, &reason));
    set.items[3] = -4;
    CHECK(!qc_lineset_check(&set, &reason));
    set.items[3] = 4;
    set.bits[0] ^= 2 | UINT64_C(1) << 40;
    CHECK(!qc_lineset_check(&set, &reason));
    set.bits[0] ^= 2 | UINT64_C(1) << 40;
    CHECK(qc_lineset_check(&set, &reason));
    qc_lineset_free(&set);
}

static void dump_names_each_line(void)
{
    FILE *out = tmpfile();
    const char *text;
    qc_lineset set;

    qc_lineset_init(&set);
    qc_lineset_add(&set, 17);
    qc_lineset_add(&set, 2000000000);
    if (!CHECK(out != NULL)) {
        return;
    }
    qc_lineset_dump(&set, out);
    text = test_dumped(out);
    CHECK(strstr(text, "2 lines") != NULL);
    CHECK(strstr(text, " 17 2000000000\n") != NULL);
    qc_lineset_free(&set);
}

int main(void)
{
    RUN(empty_set_needs_no_memory);
    RUN(what_is_no_line_is_ignored);
    RUN(huge_lines_cost_little);
    RUN(hostile_lines_stay_proportional);
    RUN(items_are_in_insertion_order);
    RUN(the_bitmap_grows_at_its_very_end);
    RUN(agrees_with_a_naive_set);
    RUN(failure_changes_nothing);
    RUN(known_lines_need_no_memory);
    RUN(check_finds_damage);
    RUN(dump_names_each_line);
    return test_report();
}
