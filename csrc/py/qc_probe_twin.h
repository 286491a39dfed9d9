/* Twins: copies of code objects that can have probes.
 *
 * A twin does what its original does and looks like it: co_code shows the code without probes,
 * and the hook that its trampolines ask stands behind the last constant, where only the
 * interpreter looks (it never checks the index of a constant).
 *
 * A twin is made asleep: a copy with room for trampolines at its end, and a stub in the place of
 * its first instruction. Most code that is loaded is never called, and then that is all. When it is
 * called, the stub's trampoline asks the hook, which wakes the twin: plan and layout are made, and
 * the trampolines written into the room. A probe that is armed leads to its trampoline; there the
 * hook records the hit and takes the probe out of the code, for good or until it is armed again. A
 * twin without armed probes runs as fast as its original.
 *
 * A twin keeps its original alive; it hangs on its link (qc_codemap.h) and dies with its code
 * object. All functions need the GIL.
 */
#ifndef QC_PROBE_TWIN_H
#define QC_PROBE_TWIN_H

#include "qc_codemap.h"

struct qc_probe;

enum { QC_STUB_UNITS = 4 }; /* a jump with three prefixes */

typedef struct qc_twin {
    PyCodeObject *original; /* strong */
    qc_file *file;          /* what it is measured into; NULL: it is not measured */
    struct qc_probe *probes;
    uint32_t probe_count, armed_count;
    PyObject *clean;      /* strong; what co_code shows; NULL: asleep, and nobody has asked */
    PyObject *exceptions; /* strong; what co_exceptiontable shows */
    PyObject *outs;       /* strong; the table with the way to QC_PROBE_OUT; NULL: no such */
    void *places;         /* if moved: unit of the original → its unit, as uint16_t or, if `far` */
    uint32_t units;       /* of the original */
    uint32_t entry;       /* where its first line begins: there the stub stands */
    uint64_t barred;      /* epoch of the last store that started while a frame ran it; 0 */
    uint32_t stub;        /* the trampoline of the stub */
    int16_t slots;        /* of the stack, in the frame that has the fewest */
    uint8_t stub_units;   /* while the stub stands there; else 0 */
    bool outs_armed : 1;  /* `outs` is in force */
    bool asks_exceptions : 1; /* it has QC_PROBE_CATCH or QC_PROBE_OUT */
    bool awake : 1;           /* the probes have their places */
    bool lazy : 1;    /* a function that was not woken yet: its constants are its original's */
    bool moved : 1;   /* instructions stand elsewhere than in the original */
    bool far : 1;     /* places are uint32_t */
    bool settled : 1; /* it may have run without waking: nothing may move any more */
    bool fresh : 1;   /* being armed for the first time: it has not run at all */
    uint8_t saved[2 * QC_STUB_UNITS]; /* what the stub displaces */
} qc_twin;

/* Frees the twin of a link, if there is one, whose code object dies, and gives its reference to the
 * original away. Runs no Python. */
PyCodeObject *qc_twin_free(qc_link *link);

#if QC_HAVE_PROBES

/* The twin that a code object is; NULL if it is none. */
static inline qc_twin *qc_twin_of(const qc_codemap *map, PyCodeObject *code)
{
    qc_link *link = qc_codemap_find(map, code);
    return link != NULL ? link->twin : NULL;
}

/* The same constants, with the hook behind the last. */
PyObject *qc_twin_consts(PyObject *model, PyObject *hook);

/* A twin of `code` with constants from qc_twin_consts(), asleep and without its stub; a new
 * reference. NULL with an exception set. */
PyCodeObject *qc_twin_new(qc_codemap *map, PyCodeObject *code, PyObject *consts);

/* Has co_code show the code without stub and probes: whoever looks at it must call this before. 0,
 * or -1 with MemoryError. */
int qc_twin_show(qc_link *link);

/* Finds the places of the probes. 0, also if it is awake; -1 with an exception set. */
int qc_twin_wake(qc_link *link);

/* Where a unit of the original stands in the twin, and the other way round: to the beginning of an
 * instruction. */
uint32_t qc_twin_place(const qc_twin *twin, uint32_t unit);
uint32_t qc_twin_origin(const qc_twin *twin, uint32_t place);

/* Tells trace functions that trampolines have no lines: the location table ends before them, and
 * CPython's own table of lines would then hold anything. For every twin that a trace function may
 * see. 0, or -1 with MemoryError. */
int qc_twin_lay_out_lines(qc_link *link);

/* The probes as a list of (unit, unit of the trampoline, qc_probe_kind); NULL with MemoryError. */
PyObject *qc_twin_probes(const qc_twin *twin);

/* What CPython would show as _co_code_adaptive if there were no probes; NULL with MemoryError. */
PyObject *qc_twin_adaptive(qc_link *link);

#endif

#endif
