/* Files of SQLite in which some bytes were changed: they are read, or called unreadable. */
#include "fuzz_input.h"
#include "qc_database.h"
#include "qc_mem.h"
#include "qc_rows.h"

#include <string.h>

typedef struct {
    size_t rows, bytes;
} seen;

/* Touches all that it is given. */
static bool look(void *data, int64_t row, const qc_value *values, size_t count)
{
    seen *seen = data;

    (void)row;
    seen->rows++;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = values[i].bytes;

        for (size_t k = 0; k < values[i].size; k++) {
            seen->bytes += bytes[k] == 'x';
        }
    }
    return true;
}

/* A table, or an index, of some rows. */
static uint32_t build(qc_database *database, fuzz_input *input, bool index)
{
    static char text[9000];
    size_t count = fuzz_byte(input) * (size_t)(fuzz_byte(input) % 8 + 1);
    bool scattered = fuzz_byte(input) < 40; /* on pages of their own */
    size_t largest = scattered ? sizeof text : 40;
    count = scattered ? count / 64 : count;
    qc_tree tree;

    memset(text, 'x', sizeof text);
    qc_tree_begin(&tree, database, index);
    for (size_t i = 1; i <= count; i++) {
        const qc_value values[] = {
            {.kind = QC_VALUE_NUMBER, .number = (int64_t)i},
            {.kind = QC_VALUE_TEXT, .bytes = text, .size = i * 7919 % largest},
            {.kind = QC_VALUE_NUMBER, .number = fuzz_number(input)},
        };
        qc_tree_add(&tree, (int64_t)i, values, 3);
    }
    return qc_tree_end(&tree);
}

/* Bytes anywhere: the heads of pages more often than others. */
static void damage(uint8_t *bytes, size_t size, fuzz_input *input)
{
    for (uint8_t left = fuzz_byte(input) % 32; left > 0; left--) {
        size_t at = fuzz_word(input) % size;

        if (fuzz_byte(input) < 128) {
            at = at / QC_DATABASE_PAGE * QC_DATABASE_PAGE + at % 24;
        }
        bytes[at] = fuzz_byte(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    qc_database database;
    qc_rows rows;

    qc_database_begin(&database);
    uint32_t table = build(&database, &input, false), index = build(&database, &input, true);
    const qc_database_item items[] = {{"table", "a", "a", "create table a", table},
                                      {"index", "b", "a", NULL, index}};
    REQUIRE(qc_database_end(&database, items, 2));
    size_t length = (size_t)database.pages * QC_DATABASE_PAGE;
    uint8_t *content = malloc(length); /* exactly that long, for AddressSanitizer */
    REQUIRE(content != NULL);
    memcpy(content, database.bytes, length);
    qc_database_free(&database);
    damage(content, length, &input);
    if (qc_rows_begin(&rows, content, length)) {
        uint32_t roots[] = {QC_ROWS_SCHEMA, table, index};
        for (size_t i = 0; i < 3; i++) {
            seen seen = {0};
            qc_rows_read(&rows, roots[i], look, &seen);
        }
    }
    free(content);
    REQUIRE(qc_mem_bytes() == 0);
    return 0;
}
