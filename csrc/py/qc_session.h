/* Session: the coverage of each example, for coverage-guided testing (a Python type).
 *
 * An example is a span of time. A session has a store, so that an engine can record into it, and a
 * log of what was hit: each place once, with its id in the atlas. At the beginning of an example
 * the log is emptied, and what stands in it can be seen again; at its end, what was appended since
 * is the example. With `rearm` false nothing is ever seen again, and an example has only what no
 * earlier one had. Hits outside of examples are logged, too: they count as seen. An example can
 * pause: what was hit meanwhile is taken out of the log again when it goes on.
 *
 * Seeing a place again costs a few stores: its flag in the code record is cleared, and the opcode
 * that brings its event is written back into the bytecode (qc_code_arm). Where that is not possible
 * (`in_place` false: CPython's JIT compiler works on copies) all events of its code object are set
 * again. With the probe engine the probes that have fired are noted, and armed again. The trace
 * engine's places are all seen again by a new round of the store.
 *
 * All functions need the GIL.
 */
#ifndef QC_SESSION_H
#define QC_SESSION_H

#include "qc_atlas.h"
#include "qc_store.h"

struct qc_example;

typedef struct qc_log_entry {
    qc_record *record; /* of the monitoring or probe engine, while it lives; else NULL */
    uint32_t id;
    uint32_t spot; /* position of the spot on the record's sheet */
} qc_log_entry;

/* A probe that has fired. */
typedef struct qc_fired {
    qc_link *link; /* of its twin, while that lives and is measured; else NULL */
    uint32_t probe;
    uint32_t before; /* the link's entry before this one, plus 1; or 0 */
} qc_fired;

/* How far an example has come. */
typedef struct qc_span {
    uint32_t logged, fired, fresh;
} qc_span;

typedef struct qc_session {
    PyObject_HEAD
    qc_state *state;
    qc_atlas *atlas; /* the module's */
    qc_store *store; /* NULL before __init__ */
    bool rearm, in_place;
    bool open;          /* examples may begin */
    bool traced;        /* the trace engine measures */
    bool probed;        /* the probe engine measures */
    bool failed;        /* no memory for a hit: data are missing */
    int tool;           /* the monitoring engine's tool id */
    unsigned long only; /* the thread whose hits count; 0: all */
    qc_log_entry *log;
    uint32_t log_count, log_capacity;
    qc_fired *fired; /* with `rearm`: the probes that are to be armed again */
    uint32_t fired_count, fired_capacity;
    uint32_t fresh; /* ids first seen since the example began */
    uint32_t seen;  /* ids seen at all */
    bool paused;    /* the example is not told of what is hit; it has come as far as `pause` */
    qc_span pause;
    uint8_t *marks; /* by id */
    uint32_t marks_size;
    Py_buffer counters; /* by id modulo its length */
    PyObject *counters_view;
    uint32_t *numbers; /* by file of the store: its number in the atlas + 1; 0: not asked yet */
    uint32_t numbers_size;
    uint64_t *bits; /* for sorting: one for each mark, all 0 */
    uint32_t bits_size;
    uint64_t *salts; /* by file of the atlas: the hash of its name for this session */
    uint32_t salts_size;
    struct qc_example *running; /* borrowed; NULL */
} qc_session;

extern PyType_Spec qc_session_spec;

/* A hit of the monitoring or probe engine that is new in its record. Never fails: see `failed`. */
void qc_session_hit(qc_session *session, qc_record *record, uint32_t unit, unsigned flag);

/* A line or an arc of the trace engine, or an arc that another engine found out at once:
 * 1 if it is new in the log, 0 if not, -1 with an exception set. */
int qc_session_line(qc_session *session, const qc_file *file, int32_t line);
int qc_session_arc(qc_session *session, const qc_file *file, int32_t from, int32_t to);

/* A hit of an event's id. */
void qc_session_event(qc_session *session, uint32_t id);

/* The sheet for a new record; NULL with an exception set. */
qc_sheet *qc_session_sheet(qc_session *session, const qc_file *file, PyCodeObject *code,
                           PyObject *bytecode);

/* A probe of this link's twin has fired and was taken out. Never fails: see `failed`. */
void qc_session_fired(qc_session *session, qc_link *link, uint32_t probe);

/* A record is about to be freed; a code object dies, or is judged anew. */
void qc_session_forget(qc_session *session, const qc_record *record);
void qc_session_forget_link(qc_session *session, qc_link *link);

/* Begins an example: empties the log. 0, or -1 with an exception set. */
int qc_session_begin(qc_session *session);

/* An example pauses, and goes on: what is hit meanwhile is not its own, and can be hit again.
 * 0, or -1 with an exception set. */
void qc_session_pause(qc_session *session);
int qc_session_resume(qc_session *session);

/* How far the running example has come. */
qc_span qc_session_span(const qc_session *session);

/* Has this id been hit since the session was opened? */
bool qc_session_has_seen(const qc_session *session, uint32_t id);

/* Sorts ids that are in use. */
void qc_session_sort(qc_session *session, uint32_t *ids, size_t count);

/* Makes `salt` the hash of a file's name, by its number in the atlas. 0, or -1 without memory. */
int qc_session_salt(qc_session *session, uint32_t file, uint64_t salt);

/* Frees the log and what else is no Python object. */
void qc_session_free(qc_session *session);

/* The fingerprint of a set of ids. */
uint64_t qc_session_fingerprint(const qc_session *session, qc_ids ids);

/* Is this thread one whose hits don't count? */
static inline bool qc_session_ignores_thread(const qc_session *session)
{
    return session->only != 0 && session->only != PyThread_get_thread_ident();
}

#endif
