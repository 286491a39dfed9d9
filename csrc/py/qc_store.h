/* Store: everything that one collector records (a Python type).
 *
 * A store has a file record for each source file, named by the file name that coverage.py gave,
 * and the code records of the monitoring engine. Its epoch marks the decisions made for it in the
 * code map; `round` does the same for the trace engine and changes at each renewal.
 *
 * All functions need the GIL.
 */
#ifndef QC_STORE_H
#define QC_STORE_H

#include "qc_record.h"
#include "qc_state.h"

typedef struct qc_store {
    PyObject_HEAD
    qc_state *state; /* valid as long as the type, which holds the module */
    qc_codemap *map;
    uint64_t epoch; /* of decisions, monitoring engine */
    uint64_t round; /* of decisions, trace engine */
    bool branch;
    bool activity;
    bool in_place; /* events may be switched on in the bytecode: no JIT compiler works on copies */
    qc_filetab files;
    PyObject *names; /* list: file id → source file name */
    PyObject *ids;   /* dict: source file name → file id */
    qc_records records;
    PyObject *error;            /* the first exception latched */
    struct qc_session *session; /* borrowed: whom the store belongs to; NULL */
    /* the running monitoring engine, if any: how to see a code object's places again */
    int (*rearm)(qc_link *link, void *context);
    int (*arm_hits)(qc_link *link, void *context); /* see qc_records_renew */
    void *rearm_context;
} qc_store;

extern PyType_Spec qc_store_spec;

/* A new store whose decisions stand in `map`; NULL with an exception set. */
qc_store *qc_store_new(qc_state *state, qc_codemap *map, bool branch);

/* Has decisions stand in another map. For a store that has recorded nothing yet. */
void qc_store_move(qc_store *store, qc_codemap *map);

/* The record of a source file, made if need be; NULL with an exception set. */
qc_file *qc_store_file(qc_store *store, PyObject *source_filename);

/* Keeps the current exception, if it is the first, and clears it. */
void qc_store_latch(qc_store *store);

/* Keeps a RuntimeWarning with this text, if nothing was kept: not all could be seen. */
void qc_store_doubt(qc_store *store, const char *format, ...);

#endif
