/*
 * qc_filetab: the file records, by integer id. A file record holds what was seen in one source
 * file, lines and arcs, and outlives the code objects it came from. Ids are dense and start at 0.
 * Records live in blocks that never move: a qc_file pointer stays good until qc_filetab_free.
 *
 * Not for: finding a file by its name (the extension maps names to ids), and not for removing
 * files: what was measured stays.
 *
 * Threads: not synchronised. Calls that change the table exclude all other calls on it; the
 * caller's lock (in the extension: the GIL) sees to that. The sets of a record follow the rules
 * of qc_lineset and qc_arcset.
 */
#ifndef QC_FILETAB_H
#define QC_FILETAB_H

#include "qc_arcset.h"
#include "qc_lineset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { QC_FILETAB_BLOCK = 32 }; /* records per block, a power of two */

typedef struct qc_file {
    uint32_t id;
    qc_lineset lines;
    qc_arcset arcs;
    uint32_t lines_drained; /* lines.items[0..lines_drained) were handed out; set by the caller */
    uint32_t arcs_drained;  /* the same for arcs.items */
} qc_file;

typedef struct qc_filetab {
    qc_file **blocks; /* each of QC_FILETAB_BLOCK records */
    uint32_t block_count, block_capacity;
    uint32_t count; /* records in use */
} qc_filetab;

/* Makes an empty table. Allocates nothing, can't fail. */
void qc_filetab_init(qc_filetab *tab);

/* Releases all records and their sets; the table is then empty and usable, as after init. */
void qc_filetab_free(qc_filetab *tab);

/* A new, empty record, owned by the table; its id is the count before. NULL: no memory, the table
 * is unchanged. */
qc_file *qc_filetab_add(qc_filetab *tab);

/* Clears all sets and drained marks; keeps the records, their ids and the sets' memory. */
void qc_filetab_clear_hits(qc_filetab *tab);

/* Bytes of heap memory that the table owns, its sets included. Walks all records. */
size_t qc_filetab_bytes(const qc_filetab *tab);

/* False when the structure or one of its sets is broken; then *reason (may be NULL) names the rule
 * it breaks, a static string. Allocates nothing. */
bool qc_filetab_check(const qc_filetab *tab, const char **reason);

/* Writes the table and its sets as text, for a debugging human. */
void qc_filetab_dump(const qc_filetab *tab, FILE *out);

/* How many records there are; their ids are 0..count-1. */
static inline uint32_t qc_filetab_count(const qc_filetab *tab)
{
    return tab->count;
}

/* The record with this id, owned by the table; NULL when there is none. */
static inline qc_file *qc_filetab_get(const qc_filetab *tab, uint32_t id)
{
    if (id >= tab->count) {
        return NULL;
    }
    return &tab->blocks[id / QC_FILETAB_BLOCK][id % QC_FILETAB_BLOCK];
}

#endif
