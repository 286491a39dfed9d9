#include "qc_table.h"
#include "qc_test.h"

/* Values are addresses in here; nothing reads them. */
static char values[4096];

static void empty_table_needs_no_memory(void)
{
    qc_table table;
    uint32_t cursor = 0;
    qc_key key = {0, 0};

    qc_table_init(&table);
    CHECK(qc_table_find(&table, key) == NULL);
    CHECK(qc_table_remove(&table, key) == NULL);
    CHECK(!qc_table_next(&table, &cursor, NULL, NULL));
    CHECK(qc_table_check(&table, NULL));
    CHECK_EQ(qc_table_bytes(&table), 0);
    qc_table_free(&table);
    qc_table_free(&table);
}

static void insert_find_remove(void)
{
    qc_table table;
    qc_key zero = {0, 0}, a = {1, 0}, b = {0, 1};

    qc_table_init(&table);
    CHECK_EQ(qc_table_insert(&table, zero, &values[0]), 1);
    CHECK_EQ(qc_table_insert(&table, a, &values[1]), 1);
    CHECK_EQ(qc_table_insert(&table, b, &values[2]), 1);
    CHECK_EQ(qc_table_insert(&table, a, &values[3]), 0);
    CHECK_EQ(qc_table_insert(&table, (qc_key){5, 5}, NULL), -1);
    CHECK_EQ(qc_table_count(&table), 3);
    CHECK(qc_table_find(&table, zero) == &values[0]);
    CHECK(qc_table_find(&table, a) == &values[1]);
    CHECK(qc_table_find(&table, b) == &values[2]);
    CHECK(qc_table_find(&table, (qc_key){5, 5}) == NULL);
    CHECK(qc_table_remove(&table, a) == &values[1]);
    CHECK(qc_table_remove(&table, a) == NULL);
    CHECK(qc_table_find(&table, a) == NULL);
    CHECK(qc_table_find(&table, b) == &values[2]);
    CHECK_EQ(qc_table_count(&table), 2);
    CHECK_EQ(qc_table_bytes(&table), qc_mem_bytes());
    qc_table_free(&table);
}

static void next_visits_each_entry_once(void)
{
    bool seen[1000] = {false};
    qc_table table;
    uint32_t cursor = 0, visits = 0;
    qc_key key;
    void *value;

    qc_table_init(&table);
    for (uint64_t i = 0; i < 1000; i++) {
        CHECK_EQ(qc_table_insert(&table, (qc_key){i * 64, i}, &values[i]), 1);
    }
    while (qc_table_next(&table, &cursor, &key, &value)) {
        CHECK(value == &values[key.b] && key.a == key.b * 64 && !seen[key.b]);
        seen[key.b] = true;
        visits++;
    }
    CHECK_EQ(visits, 1000);
    CHECK(!qc_table_next(&table, &cursor, &key, &value));
    qc_table_free(&table);
}

/* Keys of three worlds: small numbers, differing in the upper bits alone, in one half alone. */
static qc_key key_of(uint32_t world, uint64_t n)
{
    switch (world) {
    case 0:
        return (qc_key){n, n};
    case 1:
        return (qc_key){n << 54, 0};
    default:
        return (qc_key){7, n << 20};
    }
}

static void agrees_with_a_naive_map(void)
{
    enum { KEYS = 300 };

    for (uint32_t world = 0; world < 3; world++) {
        void *model[KEYS] = {NULL};
        uint32_t count = 0;
        qc_table table;

        qc_table_init(&table);
        for (int step = 0; step < 30000; step++) {
            uint32_t n = test_below(KEYS);
            void *value = &values[test_below(sizeof values)];
            /* Waves: mostly inserts, then mostly removes. */
            bool insert = test_below(10) < (step / 2000 % 2 == 0 ? 8u : 2u);

            CHECK(qc_table_find(&table, key_of(world, n)) == model[n]);
            if (insert) {
                CHECK_EQ(qc_table_insert(&table, key_of(world, n), value), model[n] == NULL);
                count += model[n] == NULL;
                model[n] = model[n] == NULL ? value : model[n];
            } else {
                CHECK(qc_table_remove(&table, key_of(world, n)) == model[n]);
                count -= model[n] != NULL;
                model[n] = NULL;
            }
            CHECK_EQ(qc_table_count(&table), count);
            CHECK(step % 64 != 0 || qc_table_check(&table, NULL));
        }
        for (uint32_t n = 0; n < KEYS; n++) {
            CHECK(qc_table_find(&table, key_of(world, n)) == model[n]);
        }
        qc_table_free(&table);
    }
}

static void churn_does_not_grow_the_table(void)
{
    qc_table table;
    size_t bytes;

    qc_table_init(&table);
    for (uint64_t i = 0; i < 10; i++) {
        qc_table_insert(&table, (qc_key){i, ~i}, values);
    }
    bytes = qc_mem_bytes();
    for (uint64_t i = 10; i < 100000; i++) {
        CHECK_EQ(qc_table_insert(&table, (qc_key){i, ~i}, values), 1);
        CHECK(qc_table_remove(&table, (qc_key){i - 10, ~(i - 10)}) == values);
    }
    CHECK_EQ(qc_mem_bytes(), bytes);
    CHECK(qc_table_check(&table, NULL));
    qc_table_free(&table);
}

static void failure_changes_nothing(void)
{
    qc_table table;

    qc_table_init(&table);
    for (uint64_t i = 0; i < 13; i++) {
        int added;

        qc_mem_fail_after(1);
        added = qc_table_insert(&table, (qc_key){i, i}, &values[i]);
        qc_mem_fail_after(0);
        CHECK_EQ(added, i == 0 || i == 12 ? -1 : 1);
        CHECK_EQ(qc_table_count(&table), i + (added == 1));
        CHECK(qc_table_check(&table, NULL));
        CHECK_EQ(qc_table_insert(&table, (qc_key){i, i}, &values[i]), added < 0);
    }
    for (uint64_t i = 0; i < 13; i++) {
        CHECK(qc_table_find(&table, (qc_key){i, i}) == &values[i]);
    }
    qc_table_free(&table);
}

static void check_finds_damage(void)
{
    qc_table table, broken;
    const char *reason = NULL;
    uint32_t slot = 0;

    qc_table_init(&table);
    for (uint64_t i = 0; i < 5; i++) {
        qc_table_insert(&table, (qc_key){i, i}, &values[i]);
    }
    broken = table;
    broken.count = 4;
    CHECK(!qc_table_check(&broken, &reason) && reason != NULL);
    broken = table;
    broken.count = 16;
    CHECK(!qc_table_check(&broken, NULL));
    broken = table;
    broken.capacity = 15;
    CHECK(!qc_table_check(&broken, NULL));
    while (table.slots[slot].value == NULL || table.slots[slot].key.a == 3) {
        slot++;
    }
    table.slots[slot].key = (qc_key){3, 3};
    CHECK(!qc_table_check(&table, &reason));
    qc_table_free(&table);
}

static void dump_names_each_key(void)
{
    FILE *out = tmpfile();
    const char *text;
    qc_table table;

    qc_table_init(&table);
    qc_table_insert(&table, (qc_key){1, 0xabcdef}, values);
    if (!CHECK(out != NULL)) {
        return;
    }
    qc_table_dump(&table, out);
    text = test_dumped(out);
    CHECK(strstr(text, "1 entries in 16 slots") != NULL);
    CHECK(strstr(text, "00000000000000010000000000abcdef") != NULL);
    qc_table_free(&table);
}

int main(void)
{
    RUN(empty_table_needs_no_memory);
    RUN(insert_find_remove);
    RUN(next_visits_each_entry_once);
    RUN(agrees_with_a_naive_map);
    RUN(churn_does_not_grow_the_table);
    RUN(failure_changes_nothing);
    RUN(check_finds_damage);
    RUN(dump_names_each_key);
    return test_report();
}
