/* Files of other page sizes, made by SQLite, are read in tests/seam/test_combine.py. */
#include "qc_database.h"
#include "qc_mem.h"
#include "qc_rows.h"
#include "qc_test.h"

#include <string.h>

enum { LONG_TEXT = 30000, LONG_EVERY = 97 };

static char long_text[LONG_TEXT];

/* What a reader is given, and what is expected next. */
typedef struct {
    int64_t next, stop;
    bool index;
} seen;

/* The columns of a row; some are so long that they stand on pages of their own. */
static void columns_of(int64_t row, qc_value values[4])
{
    size_t size = (size_t)(row % LONG_EVERY == 0 ? 1000 + row * 31 % (LONG_TEXT - 1000) : row % 9);

    values[0] = (qc_value){.kind = QC_VALUE_NUMBER, .number = row};
    values[1] = (qc_value){.kind = QC_VALUE_NULL};
    values[2] = (qc_value){.kind = QC_VALUE_TEXT, .bytes = long_text, .size = size};
    values[3] = (qc_value){.kind = QC_VALUE_NUMBER, .number = -row * row * row};
}

static bool check_row(void *data, int64_t row, const qc_value *values, size_t count)
{
    seen *seen = data;
    qc_value expected[4];

    columns_of(++seen->next, expected);
    CHECK_EQ(row, seen->index ? 0 : seen->next);
    CHECK_EQ(count, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ(values[i].kind, expected[i].kind);
        CHECK_EQ(values[i].number, expected[i].number);
        CHECK_EQ(values[i].size, expected[i].size);
        CHECK(values[i].size == 0 || memcmp(values[i].bytes, long_text, values[i].size) == 0);
    }
    return seen->next != seen->stop;
}

/* A file with one tree; its root. */
static uint32_t build(qc_database *database, bool index, int64_t count)
{
    qc_database_item item = {"table", "a", "a", NULL, 0};
    qc_tree tree;

    qc_database_begin(database);
    qc_tree_begin(&tree, database, index);
    for (int64_t row = 1; row <= count; row++) {
        qc_value values[4];

        columns_of(row, values);
        qc_tree_add(&tree, row, values, 4);
    }
    item.root = qc_tree_end(&tree);
    CHECK(qc_database_end(database, &item, 1));
    return item.root;
}

static size_t size_of(const qc_database *database)
{
    return (size_t)database->pages * QC_DATABASE_PAGE;
}

static void what_was_written(void)
{
    static const int64_t counts[] = {0, 1, 96, 97, 400, 2000, 70000};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int index = 0; index < 2; index++) {
            qc_database database;
            qc_rows rows;
            seen seen = {.index = index != 0};
            uint32_t root = build(&database, index != 0, counts[i]);

            CHECK(qc_rows_begin(&rows, database.bytes, size_of(&database)));
            CHECK_EQ(qc_rows_read(&rows, root, check_row, &seen), QC_ROWS_DONE);
            CHECK_EQ(seen.next, counts[i]);
            qc_database_free(&database);
            CHECK_EQ(qc_mem_bytes(), 0);
        }
    }
}

static bool check_item(void *data, int64_t row, const qc_value *values, size_t count)
{
    CHECK_EQ(row, 1);
    CHECK_EQ(count, 5);
    CHECK(memcmp(values[0].bytes, "table", 5) == 0);
    *(int64_t *)data = values[3].number;
    return true;
}

static void the_list_of_tables(void)
{
    qc_database database;
    qc_rows rows;
    int64_t found = 0;
    uint32_t root = build(&database, false, 5);

    CHECK(qc_rows_begin(&rows, database.bytes, size_of(&database)));
    CHECK_EQ(qc_rows_read(&rows, QC_ROWS_SCHEMA, check_item, &found), QC_ROWS_DONE);
    CHECK_EQ(found, root);
    qc_database_free(&database);
}

static void stopped(void)
{
    for (int index = 0; index < 2; index++) {
        qc_database database;
        qc_rows rows;
        seen seen = {.index = index != 0, .stop = 1000};
        uint32_t root = build(&database, index != 0, 2000);

        CHECK(qc_rows_begin(&rows, database.bytes, size_of(&database)));
        CHECK_EQ(qc_rows_read(&rows, root, check_row, &seen), QC_ROWS_STOPPED);
        CHECK_EQ(seen.next, 1000);
        qc_database_free(&database);
    }
}

static void not_a_file_of_sqlite(void)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } changes[] = {
        {0, 's'},   /* the magic */
        {16, 0x11}, /* the size of pages: no power of 2 */
        {16, 0x40}, /* more than the file */
        {18, 2},    /* a write-ahead log */
        {20, 0xff}, /* little is left of a page of 512 */
        {59, 2},    /* UTF-16 */
    };
    qc_database database;
    qc_rows rows;

    build(&database, false, 1);
    CHECK(!qc_rows_begin(&rows, database.bytes, 0));
    CHECK(!qc_rows_begin(&rows, database.bytes, 511));
    CHECK(!qc_rows_begin(&rows, database.bytes, size_of(&database) - 1));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t before[100];

        memcpy(before, database.bytes, sizeof before);
        database.bytes[changes[i].at] = changes[i].byte;
        if (changes[i].at == 20) {
            database.bytes[16] = 2;
        }
        CHECK(!qc_rows_begin(&rows, database.bytes, size_of(&database)));
        memcpy(database.bytes, before, sizeof before);
    }
    qc_database_free(&database);
}

static bool any_row(void *data, int64_t row, const qc_value *values, size_t count)
{
    (void)row, (void)values, (void)count;
    ++*(int64_t *)data;
    return true;
}

/* A page that is its own child, and one that isn't there. */
static void circles(void)
{
    qc_database database;
    qc_rows rows;
    int64_t count = 0;
    uint32_t root = build(&database, false, 2000);
    uint8_t *page = database.bytes + (size_t)(root - 1) * QC_DATABASE_PAGE;

    CHECK(qc_rows_begin(&rows, database.bytes, size_of(&database)));
    CHECK_EQ(qc_rows_read(&rows, root + 1, any_row, &count), QC_ROWS_UNREADABLE);
    CHECK_EQ(qc_rows_read(&rows, 0, any_row, &count), QC_ROWS_UNREADABLE);
    CHECK_EQ(page[0], 5);
    page[8] = page[9] = 0;
    page[10] = (uint8_t)(root >> 8);
    page[11] = (uint8_t)root;
    CHECK_EQ(qc_rows_read(&rows, root, any_row, &count), QC_ROWS_UNREADABLE);
    CHECK(count < 2000 * 20);
    qc_database_free(&database);
}

static void no_memory(void)
{
    qc_database database;
    qc_rows rows;
    seen seen = {0};
    uint32_t root = build(&database, false, 2000);

    CHECK(qc_rows_begin(&rows, database.bytes, size_of(&database)));
    qc_mem_fail_after(2);
    CHECK_EQ(qc_rows_read(&rows, root, check_row, &seen), QC_ROWS_NO_MEMORY);
    qc_mem_fail_after(0);
    CHECK(seen.next >= LONG_EVERY);
    qc_database_free(&database);
    CHECK_EQ(qc_mem_bytes(), 0);
}

int main(void)
{
    memset(long_text, 'x', sizeof long_text);
    RUN(what_was_written);
    RUN(the_list_of_tables);
    RUN(stopped);
    RUN(not_a_file_of_sqlite);
    RUN(circles);
    RUN(no_memory);
    return test_report();
}
