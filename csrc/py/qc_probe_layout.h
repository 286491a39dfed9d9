/* The bytes of an instrumented code object: where its probes and trampolines stand.
 *
 * A probe displaces one code unit by a jump forward to its trampoline, which asks the hook (see
 * qc_probe_twin.h) and jumps back to the unit, by then restored; or it sends a branch's jump to a
 * trampoline that asks the hook and goes on to the branch's target. Trampolines stand in islands.
 * One island at the end suffices for most code: then nothing moves, offsets and tables are those
 * of the original. A jump of one unit reaches 255 units, so longer code gets more islands, best
 * where control never comes by; and where a branch falls through to an instruction that others
 * reach too, a NOP is put between. Then what follows moves, and jumps and tables are made anew.
 *
 * Functions allocate through qc_mem, touch no Python object and run no Python.
 */
#ifndef QC_PROBE_LAYOUT_H
#define QC_PROBE_LAYOUT_H

#include "qc_probe_plan.h"
#include "qc_probe_tables.h"

/* A probe in its place. Units are those of the new code, but for those of hits. */
typedef struct qc_probe {
    uint32_t patch;      /* the unit that it displaces, or the first unit of its branch */
    uint32_t trampoline; /* the first unit of its trampoline */
    uint32_t target;     /* where it goes on */
    uint32_t line_unit;  /* of the original: where the instruction begins */
    uint32_t other_unit; /* of the original: the branch whose side is hit, too; of QC_PROBE_CATCH,
                          * where the handler's line begins */
    uint8_t own;         /* from line_unit to the opcode whose own hits these are */
    uint8_t kind : 3;    /* qc_probe_kind */
    uint8_t side : 3;    /* QC_HIT_LEFT, QC_HIT_RIGHT, or 0: none */
    bool armed : 1;
    bool done : 1;    /* QC_PROBE_CATCH, QC_PROBE_OUT: every exception of interest was seen */
    uint8_t flags;    /* as in qc_planned */
    uint8_t prefixes; /* EXTENDED_ARGs before the opcode of the instruction */
    uint8_t opcode, argument; /* what stands at the place while the probe is armed */
    int16_t slots;            /* of the stack that the trampoline needs */
    uint16_t saved;           /* while armed: the unit displaced, opcode in the low byte */
} qc_probe;

/* The unit of the original whose QC_HIT_RETURN and QC_HIT_PASSED it tells of. */
static inline uint32_t qc_probe_own_unit(const qc_probe *probe)
{
    return probe->line_unit + probe->own;
}

/* Does the trampoline of a probe with these flags go back by a jump that looks like none? After a
 * RESUME there is a line event wherever CPython finds that something jumps to, on the same line,
 * too. (Where a line begins, there is one anyway.) */
bool qc_probe_hides_jump(unsigned flags);

typedef struct qc_layout {
    uint8_t *code;  /* without probes, with trampolines; if not moved, only from clean_units on */
    uint8_t *clean; /* if moved: the same without trampolines: NOPs, and nothing at the end */
    uint32_t units, clean_units;
    size_t bytes;        /* allocated for each of the two */
    qc_bytes linetable;  /* if moved */
    qc_bytes exceptions; /* if moved */
    qc_bytes outs;       /* with QC_PROBE_OUT: the exception table that leads to it */
    qc_probe *probes;    /* in the order of their trampolines */
    uint32_t probe_count;
    uint32_t *places; /* if moved: unit of the original → where it stands, and its end; else NULL */
    uint32_t place_count;

    bool moved; /* something stands elsewhere than in the original */
} qc_layout;

/* Lays out a plan. `hook` is the index of the hook among the constants. 0; -1 when memory ran out;
 * 1 when this code can't be laid out: nothing is to be freed then. */
int qc_layout_make(qc_layout *layout, const qc_plan *plan, const qc_codeview *view, uint32_t hook);

void qc_layout_free(qc_layout *layout);

/* A layout that moves nothing, kept for other copies of the same code. */
typedef struct qc_model {
    qc_layout layout;
    uint32_t hook; /* as for qc_layout_make */
    bool tells;    /* as for qc_plan_make */
} qc_model;

#if QC_HAVE_PROBES

/* A model of a layout that moves nothing; NULL when memory ran out. */
qc_model *qc_model_new(const qc_layout *layout, uint32_t hook, bool tells);

/* NULL is ignored. */
void qc_model_free(qc_model *model);

/* What it takes. */
size_t qc_model_bytes(const qc_model *model);

/* Lays out the same as the model. 0, or -1 when memory ran out: nothing is to be freed then. */
int qc_model_copy(qc_layout *layout, const qc_model *model);

#else

static inline void qc_model_free(qc_model *Py_UNUSED(model))
{
}

static inline size_t qc_model_bytes(const qc_model *Py_UNUSED(model))
{
    return 0;
}

#endif

#endif
