/* Code records of the monitoring engine: what was hit in a code object and its duplicates.
 *
 * Code that is compiled again and again from the same place (exec in a loop, templates,
 * dataclasses) shares one record, found by file, first line, location table, bytecode and
 * exception table; so a record outlives its code objects. It holds the bytes objects it needs to
 * turn hits into arcs, never the code object. Records belong to a store and die with it; a store
 * drops records without living code, oldest first, once there are many.
 *
 * All functions need the GIL; none runs Python code.
 */
#ifndef QC_RECORD_H
#define QC_RECORD_H

#include "../core/qc_hits.h"
#include "../core/qc_table.h"
#include "qc_bytecode.h"
#include "qc_codemap.h"

typedef struct qc_record {
    struct qc_records *owner;
    qc_hits hits; /* outside of any journal: base 0 */
    qc_file *file;
    PyObject *bytecode; /* bytes; NULL without branches */
    PyObject *linetable, *exceptions;
    int first_line;
    bool dirty;              /* has hits that were not drained */
    bool touched;            /* has hits since the last renewal */
    bool complete;           /* nothing new can come, but from exceptions */
    bool asks_exceptions;    /* probes ask exceptions where they come from */
    bool quiet_known;        /* `quiet` was looked for */
    uint8_t marks;           /* QC_MARK_ flags that stand anywhere in it */
    uint32_t known_landings; /* exceptions caught since one showed a new arc */
    uint32_t twins;          /* living code objects */
    uint32_t attached;       /* code objects since the last look at `complete` */
    qc_link *links;          /* one of the ring of living code objects; NULL */
    struct qc_record *prev_touched, *next_touched;
    struct qc_record *prev_dead, *next_dead; /* queue of records without living code */
    uint32_t *quiet; /* units whose line events never come, their number first (qc_quiet); NULL */
    qc_key key;
    struct qc_sheet *sheet; /* of a session: its page in the atlas; NULL */
    struct qc_model *model; /* where the probes of its code objects go; NULL: not kept */
} qc_record;

/* Where an exception that was raised at `lasti` and caught at `unit` came from and went to. */
typedef struct qc_landing {
    const qc_record *record;
    uint32_t unit;
    int lasti;
    int from, line; /* from -1: from nowhere that counts */
} qc_landing;

enum { QC_LANDINGS_KEPT = 32 }; /* a power of two */

typedef struct qc_records {
    qc_codemap *map;
    qc_table table;
    qc_record *touched; /* ring-free list, newest first */
    qc_record *oldest_dead, *newest_dead;
    size_t dead_bytes; /* what they take, about */
    size_t units;      /* code units of all records */
    bool branch;
    qc_file *hidden;                       /* the file of tests that are not measured; NULL */
    bool contexts;                         /* probes of tests tell where frames begin and end */
    bool failed;                           /* memory ran out: data may be missing */
    struct qc_session *session;            /* borrowed: who is told of every hit; NULL */
    qc_landing landings[QC_LANDINGS_KEPT]; /* the last ones, by what they are found with */
} qc_records;

/* `map` must outlive the records. */
void qc_records_init(qc_records *records, qc_codemap *map, bool branch);

/* Detaches all links and frees everything. */
void qc_records_free(qc_records *records);

/* Puts the link on the record of its code object, for hits of `file`. 0, or -1 with an exception
 * set and nothing changed. */
int qc_record_attach(qc_records *records, qc_link *link, qc_file *file);

/* Is nothing to be recorded of it? */
static inline bool qc_record_is_hidden(const qc_record *record)
{
    return record->file == record->owner->hidden;
}

/* The code as bytes, borrowed; `code` is NULL without branches. */
qc_codeview qc_record_view(const qc_record *record);

/* Takes the link off its record, if it is on one. The record stays in its store. */
void qc_record_detach(qc_link *link);

/* The first hit of a place; see qc_record_hit. */
void qc_record_first_hit(qc_record *record, uint32_t unit, unsigned flag);

/* Notes a hit. Never fails. */
static inline void qc_record_hit(qc_record *record, uint32_t unit, unsigned flag)
{
    if (unit < record->hits.units && !(record->hits.bytes[unit] & flag)) {
        qc_record_first_hit(record, unit, flag);
    }
}

/* Notes the arc of an exception that was raised at byte offset `lasti` (-1: elsewhere) and caught
 * at `unit`. True if more such events are wanted: there is one for each exception caught, until
 * all lines that may raise to this handler have done so. */
bool qc_record_landing(qc_record *record, PyCodeObject *code, int lasti, uint32_t unit);

/* Is there a branch at `unit` that jumps? Those of async for don't. */
bool qc_record_has_jump(const qc_record *record, uint32_t unit);

/* Is what was hit to be seen again in the next example of a session? */
bool qc_records_see_again(const qc_records *records);

/* Can this code object be left alone, because nothing new can come from it? */
bool qc_record_is_complete(qc_record *record);

/* Turns the new hits into lines or arcs of their files. 0, or -1 when memory ran out: what could
 * not be turned stays for the next call. */
int qc_records_drain(qc_records *records);

/* What is called with a living link and the context given. */
typedef int (*qc_link_function)(qc_link *link, void *context);

/* Forgets all hits since the last renewal, so that they can be seen again. For each record
 * concerned `arm_hits` (or NULL) is called with its living links while the hits are still there;
 * where it returns 1, or there is none, `rearm` (or NULL) is called with them afterwards; a -1 from
 * that, with an exception set, ends the walk. */
int qc_records_renew(qc_records *records, qc_link_function arm_hits, qc_link_function rearm,
                     void *context);

#endif
