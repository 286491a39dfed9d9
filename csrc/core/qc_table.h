/*
 * qc_table: a hash map from a 128-bit key to a pointer, for the code records that code objects
 * share. Open addressing with linear probing; removing shifts the followers back, so there are no
 * tombstones and a table that is filled and emptied for ever stays as fast as it was. Keys are
 * meant to be hashes already (qc_pack_hash), but any keys work.
 *
 * Not for: owning what it points to (free doesn't touch the values), NULL values, and not for the
 * hot path: a code record is found by its code object there. At most 3 * 2^28 entries.
 *
 * Threads: not synchronised. Calls that change a table exclude all other calls on it; the caller's
 * lock (in the extension: the GIL) sees to that.
 */
#ifndef QC_TABLE_H
#define QC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct qc_key {
    uint64_t a, b;
} qc_key;

typedef struct qc_table_slot {
    qc_key key;
    void *value; /* NULL: an empty slot */
} qc_table_slot;

typedef struct qc_table {
    qc_table_slot *slots; /* NULL until the first insert */
    uint32_t count;       /* slots in use */
    uint32_t capacity;    /* slots, a power of two; 0 without slots */
} qc_table;

/* Makes an empty table. Allocates nothing, can't fail. */
void qc_table_init(qc_table *table);

/* Releases the slots, not the values; the table is then empty and usable, as after init. */
void qc_table_free(qc_table *table);

/* The value of a key, or NULL. */
void *qc_table_find(const qc_table *table, qc_key key);

/* Adds a key with its value (not NULL): 1 it is new; 0 the key was known, its value is left as it
 * was; -1 no memory, or a NULL value (the table is unchanged). */
int qc_table_insert(qc_table *table, qc_key key, void *value);

/* Takes a key out and returns its value, or NULL when it was not there. Can't fail. */
void *qc_table_remove(qc_table *table, qc_key key);

/* Steps through the entries in no particular order: start with *cursor = 0, and while it returns
 * true, *key and *value (each may be NULL) are the next entry. No insert or remove meanwhile. */
bool qc_table_next(const qc_table *table, uint32_t *cursor, qc_key *key, void **value);

/* Bytes of heap memory that the table owns. */
size_t qc_table_bytes(const qc_table *table);

/* False when the structure is broken; then *reason (may be NULL) names the rule it breaks, a
 * static string. Allocates nothing. */
bool qc_table_check(const qc_table *table, const char **reason);

/* Writes the table as text, for a debugging human. */
void qc_table_dump(const qc_table *table, FILE *out);

/* How many entries there are. */
static inline uint32_t qc_table_count(const qc_table *table)
{
    return table->count;
}

#endif
