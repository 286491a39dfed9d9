/* The code objects that were met, and what is known of each.
 *
 * A link hangs on every code object that an engine has met, by co_extra; it never holds the code
 * object alive. When the code object dies, CPython frees the link (qc_codemap's function, which
 * runs no Python and may run after the module is gone: the map is counted by its links). For each
 * engine a link holds the decision of one store ("measured, into this file", or "not measured")
 * under that store's epoch, a number never used twice: with another epoch it is undecided.
 *
 * All functions need the GIL.
 */
#ifndef QC_CODEMAP_H
#define QC_CODEMAP_H

#include "../core/qc_filetab.h"

struct qc_bell;
struct qc_link;
struct qc_record;
struct qc_trace_record;
struct qc_tracer;
struct qc_twin;

typedef struct qc_codemap {
    struct qc_link *links;  /* all of them, newest first */
    Py_ssize_t extra_index; /* where links hang on code objects */
    size_t references;      /* the module's, the stores' and the links' */
    size_t link_count;
    size_t record_count; /* shared code records alive, of all stores */
    uint64_t next_epoch;
    struct qc_tracer *prober; /* the running tracer of the probe engine; NULL */
    uint32_t monitors;        /* running tracers of the monitoring engine */
    bool traced;              /* there was a trace function while the probe engine ran */
} qc_codemap;

typedef struct qc_link {
    qc_codemap *map;
    struct qc_link *prev, *next;
    PyCodeObject *code; /* borrowed: the link dies with it */
    /* monitoring: the record shared by duplicates (NULL: not measured), the ring of its links */
    uint64_t epoch;
    struct qc_record *record;
    struct qc_link *prev_twin, *next_twin;
    bool armed : 1;          /* local events are set */
    bool hides_line : 1;     /* its first line has an event only if its start has one */
    bool begins_context : 1; /* a call of it began a dynamic context */
    bool was_hung : 1;       /* probe: it had a bell when a tracer stopped */
    uint8_t tools;           /* the tool ids under which it was met, as bits */
    uint32_t fired; /* its last entry in the list of a session that arms again, plus 1; or 0 */
    /* trace: what is remembered of this code object; NULL: it was not met */
    struct qc_trace_record *trace;
    /* probe: what makes this code object an instrumented twin, NULL; or what its twin is, NULL */
    struct qc_twin *twin;
    PyCodeObject *replacement; /* borrowed: the twin keeps its original alive */
    struct qc_bell *bell;      /* what tells that it is about to run; NULL */
} qc_link;

/* NULL with an exception set when memory or co_extra slots ran out. One reference. */
qc_codemap *qc_codemap_new(void);

qc_codemap *qc_codemap_hold(qc_codemap *map);
void qc_codemap_release(qc_codemap *map);

static inline uint64_t qc_codemap_epoch(qc_codemap *map)
{
    return map->next_epoch++;
}

/* The link of a code object, or NULL if it was never met. */
static inline qc_link *qc_codemap_find(const qc_codemap *map, PyCodeObject *code)
{
    return qc_code_get_extra(code, map->extra_index);
}

/* The link of a code object, made if need be; NULL with MemoryError set. */
qc_link *qc_codemap_get(qc_codemap *map, PyCodeObject *code);

/* Calls visit(link, context) for each link; code objects may die meanwhile. A -1 ends the walk. */
int qc_codemap_each(qc_codemap *map, int (*visit)(qc_link *link, void *context), void *context);

#endif
