/*
 * qc_database: a file of SQLite, written whole, without SQLite. Tables and indexes are trees whose
 * entries come in order; pages are filled one after the other and never changed. The format is
 * described at https://www.sqlite.org/fileformat2.html.
 *
 * A caller begins a database, builds each tree from its first entry to its last, one tree at a
 * time, and ends the database with the list of its tables, which has the root page of each.
 *
 * Not for: reading, changing, or entries that are not in order (SQLite would not find them).
 *
 * Memory: when it runs out, or the file would be larger than 1 GiB, all later calls do nothing, and
 * qc_database_end says so.
 *
 * Threads: no state but in the caller's structs; one thread at a time.
 */
#ifndef QC_DATABASE_H
#define QC_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QC_DATABASE_PAGE = 4096, QC_DATABASE_LEVELS = 8 };

typedef struct {
    uint8_t *bytes; /* whole pages */
    uint32_t pages, capacity;
    uint8_t *record; /* the entry that is being added */
    size_t record_capacity;
    bool no_memory;
} qc_database;

typedef enum { QC_VALUE_NULL, QC_VALUE_NUMBER, QC_VALUE_TEXT, QC_VALUE_BLOB } qc_value_kind;

/* A column of an entry; the text is UTF-8. */
typedef struct {
    qc_value_kind kind;
    int64_t number;
    const void *bytes;
    size_t size;
} qc_value;

/* A page that is being filled. */
typedef struct {
    uint8_t bytes[QC_DATABASE_PAGE];
    uint32_t cells;
    uint32_t content; /* where the cell that was added last begins */
    int64_t last;     /* its row number, in a table */
} qc_database_page;

typedef struct {
    qc_database *database;
    bool index; /* an index, or a table, whose entries have row numbers */
    uint32_t levels;
    qc_database_page *level[QC_DATABASE_LEVELS]; /* from the leaves on */
} qc_tree;

/* Begins a database of no pages but the first, which the end fills. */
void qc_database_begin(qc_database *database);

/* Frees all. */
void qc_database_free(qc_database *database);

/* Begins a tree. */
void qc_tree_begin(qc_tree *tree, qc_database *database, bool index);

/* Adds an entry; those of tables by ascending row number, those of indexes in SQLite's order of
 * their columns, the last of which is the row number in the table. */
void qc_tree_add(qc_tree *tree, int64_t row, const qc_value *values, size_t count);

/* Ends it, in any case. Its root page; 0 when memory ran out. */
uint32_t qc_tree_end(qc_tree *tree);

/* A row of the list of tables. */
typedef struct {
    const char *type, *name, *table;
    const char *sql; /* NULL for the indexes that SQLite makes by itself */
    uint32_t root;
} qc_database_item;

/* Writes the first page. False when memory ran out, or the list is too long for a page. */
bool qc_database_end(qc_database *database, const qc_database_item *items, size_t count);

#endif
