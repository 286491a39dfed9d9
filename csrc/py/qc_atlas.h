/* Atlas: what the ids of sessions stand for.
 *
 * There is one in the module, so ids are the same in every session of a process. The monitoring
 * engine's places are units of code objects, kept on sheets: a sheet is to the atlas what a code
 * record is to a store, and shared by all records of the same code. The trace engine's places are
 * lines and arcs; events have places as well. Nothing is ever taken out: the atlas grows with the
 * distinct places that were hit while a session was open.
 *
 * All functions need the GIL. Those that return -1 or NULL have set an exception, where nothing
 * else is said.
 */
#ifndef QC_ATLAS_H
#define QC_ATLAS_H

#include "../core/qc_places.h"
#include "../core/qc_table.h"
#include "qc_bytecode.h"

/* Kinds of places, with what a place holds: owner; a, b. */
enum {
    QC_PLACE_UNIT,  /* sheet; unit, flag of its hit byte */
    QC_PLACE_LINE,  /* file; line */
    QC_PLACE_ARC,   /* file; from, to */
    QC_PLACE_EVENT, /* none; position in the list of events */
};

/* How the event of a spot is switched on again: no opcode that is ever instrumented. */
enum { QC_ARM_NOTHING = 0, QC_ARM_WHOLE = 1 }; /* it is never off; with its whole code object */

/* A place on a sheet. */
typedef struct qc_spot {
    uint32_t id;
    uint32_t unit;
    uint32_t at;   /* the unit whose instruction brings the event */
    uint32_t next; /* position + 1 of another spot of the same unit; 0 */
    uint8_t flag;
    uint8_t armed; /* the opcode that brings the event, or how to arm it */
} qc_spot;

typedef struct qc_sheet {
    uint32_t number, file;
    PyObject *bytecode, *linetable, *exceptions;
    int32_t first_line;
    uint32_t units;
    uint32_t *first; /* by unit: position + 1 of its first spot; 0 */
    qc_spot *spots;
    uint32_t count, capacity;
    uint64_t hash; /* of what the code is, the same in every process */
} qc_sheet;

typedef struct qc_atlas {
    qc_places places;
    qc_table by_key;
    qc_sheet **sheets; /* by number */
    uint32_t sheet_count, sheet_capacity;
    PyObject *files;        /* list of file names */
    PyObject *file_numbers; /* dict: file name → position */
    PyObject *events;       /* list of the events' keys */
    PyObject *event_ids;    /* dict: key → id */
} qc_atlas;

qc_atlas *qc_atlas_new(void);
void qc_atlas_free(qc_atlas *atlas);

/* The number of a file, a new one if need be; -1. */
int64_t qc_atlas_file(qc_atlas *atlas, PyObject *filename);

/* The sheet of a code object that belongs to a file; NULL. */
qc_sheet *qc_atlas_sheet(qc_atlas *atlas, uint32_t file, PyCodeObject *code, PyObject *bytecode);

/* The spot of a unit's flag, made if need be; NULL without an exception when memory or ids ran
 * out. Runs no Python. Good until the next call. */
qc_spot *qc_atlas_spot_new(qc_atlas *atlas, qc_sheet *sheet, uint32_t unit, unsigned flag);

static inline qc_spot *qc_atlas_spot(qc_atlas *atlas, qc_sheet *sheet, uint32_t unit, unsigned flag)
{
    for (uint32_t k = sheet->first[unit]; k != 0; k = sheet->spots[k - 1].next) {
        if (QC_LIKELY(sheet->spots[k - 1].flag == flag)) {
            return &sheet->spots[k - 1];
        }
    }
    return qc_atlas_spot_new(atlas, sheet, unit, flag);
}

/* The id of a line (kind QC_PLACE_LINE, `to` is 0) or an arc of a file; -1 without an exception
 * when memory or ids ran out. Runs no Python. */
int64_t qc_atlas_way(qc_atlas *atlas, uint32_t kind, uint32_t file, int32_t from, int32_t to);

/* The id of an event. Its hash in fingerprints is that of the key's repr. -1. */
int64_t qc_atlas_event(qc_atlas *atlas, PyObject *key);

/* The code of a sheet, to read. */
qc_codeview qc_sheet_view(const qc_sheet *sheet);

/* (file name, line, to line or None, kind, event's key or None) of an id that is in use; NULL. */
PyObject *qc_atlas_location(const qc_atlas *atlas, uint32_t id);

/* Some ids, borrowed. */
typedef struct qc_ids {
    const uint32_t *items;
    size_t count;
} qc_ids;

/* {(file name, line)}, or with `arcs` {(file name, from, to)}, of some ids: what an engine gives
 * for these hits. `known`: more that has run, which arcs may lead to. `branch`: they were measured
 * with branches. NULL. */
PyObject *qc_atlas_resolve(const qc_atlas *atlas, qc_ids ids, qc_ids known, bool branch, bool arcs);

#endif
