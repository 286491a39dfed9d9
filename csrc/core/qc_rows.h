/*
 * qc_rows: the rows of a file of SQLite, read from memory, without SQLite. The format is described
 * at https://www.sqlite.org/fileformat2.html; qc_database writes it.
 *
 * The file may come from anywhere: nothing in it is believed before it is checked. What SQLite
 * would find in a file that is whole is found; of one that is damaged, or of a kind that isn't
 * read here (UTF-16, a write-ahead log, numbers that aren't whole), the reader says so.
 *
 * Memory: allocates only for rows that don't stand on one page, until their row is over.
 *
 * Threads: no state but in the caller's structs; the file isn't changed.
 */
#ifndef QC_ROWS_H
#define QC_ROWS_H

#include "qc_database.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QC_ROWS_COLUMNS = 8, QC_ROWS_SCHEMA = 1 /* the root of the list of tables */ };

typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint32_t page_size, usable, pages;
} qc_rows;

typedef enum { QC_ROWS_DONE, QC_ROWS_UNREADABLE, QC_ROWS_STOPPED, QC_ROWS_NO_MEMORY } qc_rows_end;

/* Gets a row: its number (0 in an index) and its columns, whose bytes are there until it returns.
 * False stops. */
typedef bool (*qc_rows_each)(void *data, int64_t row, const qc_value *values, size_t count);

/* Looks at the header. False if the file can't be read here. */
bool qc_rows_begin(qc_rows *rows, const void *bytes, size_t size);

/* Reads a table by ascending row numbers, or an index in its order. */
qc_rows_end qc_rows_read(const qc_rows *rows, uint32_t root, qc_rows_each each, void *data);

#endif
