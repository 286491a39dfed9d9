/*
 * qc_datahits: the hits that go into a data file, in its order: by file, by context, each once.
 *
 * Threads: the caller holds the GIL, or is attached; no shared state.
 */
#ifndef QC_DATAHITS_H
#define QC_DATAHITS_H

#include "qc_compat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was hit in a file and a context: `count` arcs (qc_arc_pack) or lines, from `from` on. */
typedef struct {
    int64_t file, context;
    size_t from, count;
} qc_datahits_group;

typedef struct {
    qc_datahits_group *groups;
    size_t count, capacity;
    union {
        void *all;
        uint64_t *arcs; /* in order, each once */
        int32_t *lines; /* in any order */
    };
    size_t size; /* of all, in bytes */
} qc_datahits;

/* Takes a list of (file, context, bytes), whose bytes are C ints: lines, or arcs of two each. The
 * list is in order; what belongs to the same file and context is put together. False with an
 * exception set; free it in any case. */
bool qc_datahits_take(qc_datahits *hits, PyObject *list, bool branch);

void qc_datahits_free(qc_datahits *hits);

#endif
