/* What SQLite makes of such files, tests/seam/test_datafile.py has it say. */
#include "qc_database.h"
#include "qc_mem.h"
#include "qc_test.h"

#include <string.h>

static uint64_t number_at(const uint8_t *at, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

static const uint8_t *page_of(const qc_database *database, uint32_t number)
{
    CHECK(number >= 1 && number <= database->pages);
    return database->bytes + (size_t)(number - 1) * QC_DATABASE_PAGE;
}

static uint64_t varint_at(const uint8_t **at)
{
    uint64_t number = 0;

    do {
        number = number << 7 | (**at & 0x7f);
    } while (*(*at)++ & 0x80);
    return number;
}

/* The rows, or entries, of a tree, and whether each is the next one: its text has its number. */
static int64_t walk(const qc_database *database, uint32_t number, int64_t before, int *depth)
{
    const uint8_t *page = page_of(database, number), *at;
    bool leaf = page[0] == 13 || page[0] == 10, index = page[0] == 10 || page[0] == 2;
    uint32_t cells = (uint32_t)number_at(page + 3, 2), header = leaf ? 8 : 12;
    int below = 0;

    for (uint32_t i = 0; i < cells; i++) {
        at = page + number_at(page + header + 2 * (size_t)i, 2);
        if (!leaf) {
            before = walk(database, (uint32_t)number_at(at, 4), before, &below);
            at += 4;
        }
        if (leaf || index) {
            uint64_t size = varint_at(&at);
            before++;
            if (!index) {
                CHECK_EQ((int64_t)varint_at(&at), before);
            }
            CHECK_EQ(size, 3 + 4 + (before == 1 ? 0 : 2));
            CHECK_EQ((int64_t)number_at(at + 3, 4), before);
        } else {
            CHECK_EQ((int64_t)varint_at(&at), before);
        }
    }
    if (!leaf) {
        CHECK(cells > 0);
        before = walk(database, (uint32_t)number_at(page + 8, 4), before, &below);
    }
    *depth = below + 1;
    return before;
}

/* A tree of that many entries: four bytes that tell which it is, and a number that does not. */
static uint32_t build(qc_database *database, bool index, int64_t count)
{
    qc_tree tree;

    qc_tree_begin(&tree, database, index);
    for (int64_t row = 1; row <= count; row++) {
        const uint8_t blob[4] = {(uint8_t)(row >> 24), (uint8_t)(row >> 16), (uint8_t)(row >> 8),
                                 (uint8_t)row};
        const qc_value values[] = {{.kind = QC_VALUE_BLOB, .bytes = blob, .size = 4},
                                   {.kind = QC_VALUE_NUMBER, .number = row == 1 ? 1 : 1000}};
        qc_tree_add(&tree, row, values, 2);
    }
    return qc_tree_end(&tree);
}

static void trees(void)
{
    static const int64_t counts[] = {0, 1, 255, 256, 300, 1000, 70000, 200000};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int index = 0; index < 2; index++) {
            qc_database database;
            int depth;

            qc_database_begin(&database);
            uint32_t root = build(&database, index != 0, counts[i]);
            CHECK_EQ(walk(&database, root, 0, &depth), counts[i]);
            CHECK(depth <= (counts[i] < 256 ? 1 : counts[i] < 70000 ? 2 : 3));
            CHECK_EQ(root, database.pages);
            qc_database_free(&database);
            CHECK_EQ(qc_mem_bytes(), 0);
        }
    }
}

static void numbers(void)
{
    static const struct {
        int64_t number;
        uint8_t type, size;
    } cases[] = {
        {0, 8, 0},          {1, 9, 0},         {-1, 1, 1},        {127, 1, 1},
        {128, 2, 2},        {-128, 1, 1},      {-129, 2, 2},      {32768, 3, 3},
        {-(1 << 23), 3, 3}, {1 << 23, 4, 4},   {INT32_MIN, 4, 4}, {INT64_C(1) << 31, 5, 6},
        {INT64_MAX, 6, 8},  {INT64_MIN, 6, 8},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const qc_value value = {.kind = QC_VALUE_NUMBER, .number = cases[i].number};
        qc_database database;
        qc_tree tree;

        qc_database_begin(&database);
        qc_tree_begin(&tree, &database, false);
        qc_tree_add(&tree, 1, &value, 1);
        const uint8_t *page = page_of(&database, qc_tree_end(&tree));
        const uint8_t *record = page + number_at(page + 5, 2) + 2;
        CHECK_EQ(record[1], cases[i].type);
        CHECK_EQ(record + 2 + cases[i].size, page + QC_DATABASE_PAGE);
        uint64_t mask = cases[i].size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * cases[i].size) - 1;
        if (cases[i].size != 0) {
            CHECK_EQ(number_at(record + 2, cases[i].size), (uint64_t)cases[i].number & mask);
        }
        qc_database_free(&database);
    }
}

static void the_list_of_tables(void)
{
    qc_database_item item = {"table", "a", "a", "create table a (b)", 0};
    static char sql[QC_DATABASE_PAGE];
    qc_database database;

    qc_database_begin(&database);
    item.root = build(&database, false, 3);
    CHECK(qc_database_end(&database, &item, 1));
    CHECK(memcmp(database.bytes, "SQLite format 3", 16) == 0);
    CHECK_EQ(number_at(database.bytes + 28, 4), 2);
    CHECK_EQ(database.bytes[100], 13);
    memset(sql, 'x', sizeof sql - 1);
    item.sql = sql;
    CHECK(!qc_database_end(&database, &item, 1));
    qc_database_free(&database);
    CHECK_EQ(qc_mem_bytes(), 0);
}

static void no_memory(void)
{
    static char text[20000];
    const qc_value value = {.kind = QC_VALUE_TEXT, .bytes = text, .size = sizeof text};
    const qc_database_item item = {"table", "a", "a", NULL, 2};
    long n = 0;
    bool done;

    do {
        qc_database database;
        qc_tree tree;

        qc_mem_fail_after(++n);
        qc_database_begin(&database);
        uint32_t root = build(&database, true, 70000);
        qc_tree_begin(&tree, &database, false);
        qc_tree_add(&tree, 1, &value, 1);
        CHECK(qc_tree_end(&tree) == 0 || root != 0);
        done = qc_database_end(&database, &item, 1);
        qc_database_free(&database);
        CHECK_EQ(qc_mem_bytes(), 0);
    } while (!done);
    qc_mem_fail_after(0);
    CHECK(n > 10);
}

int main(void)
{
    RUN(trees);
    RUN(numbers);
    RUN(the_list_of_tables);
    RUN(no_memory);
    return test_report();
}
