/*
 * qc_hits: the hit bytes of one code record, and the journal of new hits. A code record has one
 * byte per code unit, with a flag for each thing that can be seen there. Setting a flag that was
 * not set appends the id of the hit to the journal, so that "what is new since then" is a slice
 * of integers, and re-arming touches that slice alone. An id is base + 4 * unit + kind, where the
 * base tells the record (one journal hands out the bases of all its records) and the kind (0..3)
 * is the bit number of the flag.
 *
 * Not for: counting (a flag is set or not), and not for lines or arcs: turning units into them is
 * the drain's business. Ids are not handed out again when a record dies; ids of dead records may
 * still be in the journal, and whoever frees records drains or forgets those first.
 *
 * Threads: not synchronised. A journal and all the records that share it form one unit: calls that
 * change any of it exclude all other calls; the caller's lock (in the extension: the GIL) sees to
 * that.
 */
#ifndef QC_HITS_H
#define QC_HITS_H

#include "qc_debug.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Flags in the byte of a code unit. */
enum { QC_HIT_LINE = 1, QC_HIT_LEFT = 2, QC_HIT_RIGHT = 4, QC_HIT_RETURN = 8 };

enum { QC_HIT_KINDS = 4, QC_HIT_ALL = 15 }; /* ids per code unit; all flags */

typedef struct qc_journal {
    uint32_t *ids; /* new hits, oldest first */
    size_t count, capacity;
    uint32_t next_base; /* ids below it belong to some record */
    bool lost;          /* an id could not be appended since the last clear */
} qc_journal;

typedef struct qc_hits {
    uint8_t *bytes; /* one per code unit; NULL when there are none */
    uint32_t units;
    uint32_t base; /* ids base..base + 4 * units - 1 are this record's */
} qc_hits;

/* Makes an empty journal; the first base is 0. Allocates nothing, can't fail. */
void qc_journal_init(qc_journal *journal);

/* Releases the memory; the journal is then as after init, so no record of it may be left. */
void qc_journal_free(qc_journal *journal);

/* Forgets all ids and `lost`; keeps the memory and the bases. */
void qc_journal_clear(qc_journal *journal);

/* Reserves the ids of a record of `units` code units and stores its base. 0; or -1 when the 32-bit
 * space is used up (nothing is reserved and *base is left alone). */
int qc_journal_reserve_base(qc_journal *journal, uint32_t units, uint32_t *base);

/* Bytes of heap memory that the journal owns. */
size_t qc_journal_bytes(const qc_journal *journal);

/* False when the structure is broken; then *reason (may be NULL) names the rule it breaks, a
 * static string. Allocates nothing. */
bool qc_journal_check(const qc_journal *journal, const char **reason);

/* Writes the journal as text, for a debugging human. */
void qc_journal_dump(const qc_journal *journal, FILE *out);

/* The slow half of qc_journal_push: makes room for one id and appends it. Returns as
 * qc_journal_push does. Not for callers; use qc_journal_push. */
int qc_journal_push_grow(qc_journal *journal, uint32_t id);

/* Makes an unhit record of `units` code units (0 is fine) and takes its base from the journal. 0;
 * or -1 when there is no memory or no base left (*hits is then empty and needs no free). The
 * journal is not kept: the caller passes it again. */
int qc_hits_init(qc_hits *hits, qc_journal *journal, uint32_t units);

/* Releases the memory; the record is then empty: marks and clears are ignored. */
void qc_hits_free(qc_hits *hits);

/* Unsets all flags; keeps the base. The journal is not touched. */
void qc_hits_clear(qc_hits *hits);

/* Bytes of heap memory that the record owns. */
size_t qc_hits_bytes(const qc_hits *hits);

/* False when the structure is broken; then *reason (may be NULL) names the rule it breaks, a
 * static string. Allocates nothing. */
bool qc_hits_check(const qc_hits *hits, const char **reason);

/* Writes the record as text, for a debugging human. */
void qc_hits_dump(const qc_hits *hits, FILE *out);

/* In debug builds, after a mark: checks both structures and aborts when one is broken. */
void qc_hits_verify(const qc_hits *hits, const qc_journal *journal);

/* Appends an id. 0; or -1 when there is no memory: the id is not in the journal and `lost` is
 * set. */
static inline int qc_journal_push(qc_journal *journal, uint32_t id)
{
    if (journal->count == journal->capacity) {
        return qc_journal_push_grow(journal, id);
    }
    journal->ids[journal->count++] = id;
    return 0;
}

/* The kind (bit number, 0..3) of one of the four flags. */
static inline uint32_t qc_hit_kind(unsigned flag)
{
    return (flag >> 1) - (flag >> 3);
}

/* The id of a hit; the unit must be one of the record's, the flag one of the four. */
static inline uint32_t qc_hits_id(const qc_hits *hits, uint32_t unit, unsigned flag)
{
    return hits->base + QC_HIT_KINDS * unit + qc_hit_kind(flag);
}

/* Whether the id is one of this record's. */
static inline bool qc_hits_owns(const qc_hits *hits, uint32_t id)
{
    return id - hits->base < QC_HIT_KINDS * hits->units;
}

/* Whether the flag of the unit is set; false for a unit that is out of range. */
static inline bool qc_hits_has(const qc_hits *hits, uint32_t unit, unsigned flag)
{
    return unit < hits->units && (hits->bytes[unit] & flag) != 0;
}

/* Sets one of the four flags of a unit: 1 it is new and journalled; 0 it was known, or the unit is
 * out of range; -1 it is new and set, but the journal lost it (no memory). */
static inline int qc_hits_mark(qc_hits *hits, qc_journal *journal, uint32_t unit, unsigned flag)
{
    int pushed;

    if (unit >= hits->units || (hits->bytes[unit] & flag) != 0) {
        return 0;
    }
    hits->bytes[unit] = (uint8_t)(hits->bytes[unit] | flag);
    pushed = qc_journal_push(journal, qc_hits_id(hits, unit, flag));
#ifdef QC_DEBUG
    qc_hits_verify(hits, journal);
#endif
    return pushed < 0 ? -1 : 1;
}

/* Unsets the flag of one id, so that the hit can be new again. Ids of other records are ignored.
 * The journal is not touched. */
static inline void qc_hits_clear_id(qc_hits *hits, uint32_t id)
{
    if (qc_hits_owns(hits, id)) {
        uint32_t offset = id - hits->base;
        unsigned flag = 1u << (offset % QC_HIT_KINDS);

        hits->bytes[offset / QC_HIT_KINDS] &= (uint8_t)~flag;
    }
}

#endif
