/* Where a code object gets probes: what has to be seen, and what implies what.
 *
 * A plan is made from plain bytecode alone, before anything is patched. It finds the places where
 * a line begins, whatever way control comes from ("entries"), and the sides of branches that lead
 * to another line or out. A side needs no probe of its own if the line that it leads to can be
 * reached from the branch's line alone: then the probe of that line tells ("implies") it. What
 * is needed and possible is left to the layout (qc_probe_layout.h) to place.
 *
 * Exceptions need more: where a handler begins a probe asks each exception where it came from, and
 * on lines with branches and a way out of the code, exceptions that no handler takes are led past
 * one more probe.
 *
 * The rules are those of qc_flow.h, which makes arcs of the hits: a side's hit is worth nothing
 * without the hit of the line it leads to, so every end that qc_flow follows to is an entry here.
 *
 * Functions allocate through qc_mem, touch no Python object and run no Python.
 */
#ifndef QC_PROBE_PLAN_H
#define QC_PROBE_PLAN_H

#include "qc_bytecode.h"

#include <stdbool.h>

enum { QC_PROBE_NONE = 0xFFFFFFFFu };

/* One instruction with its prefixes and caches. */
typedef struct qc_instruction {
    uint32_t start;  /* its first unit: a prefix, if it has any */
    uint32_t unit;   /* the unit of its opcode */
    uint32_t end;    /* the unit after it and its caches */
    uint32_t target; /* index of the instruction that it can jump to; QC_PROBE_NONE */
    uint32_t next;   /* index of the instruction that it can go on to; QC_PROBE_NONE */
    uint32_t comers; /* how many instructions and handlers lead here */
    int32_t line;    /* -1: none */
    int32_t before;  /* the line before it: QC_BEFORE_... or a line */
    int32_t depth;   /* of a generator: of the stack before it; -1: not known, never reached */
    uint8_t opcode;
    uint8_t marks; /* QC_MARK_ flags of its units */
    bool handler;  /* exceptions land here */
    bool covered;  /* what it raises lands on a handler */
    bool out;      /* what it raises is of interest, though it leaves the code */
    bool pad;      /* needs a NOP of its own on the way from the instruction before */
} qc_instruction;

enum { QC_BEFORE_NOTHING = -4, QC_BEFORE_START = -3, QC_BEFORE_MANY = -2 };

/* What a probe sits on. */
typedef enum qc_probe_kind {
    QC_PROBE_AT,    /* displaces the first unit of an instruction */
    QC_PROBE_PAD,   /* displaces the NOP before an instruction */
    QC_PROBE_JUMP,  /* sends the jump of a branch elsewhere */
    QC_PROBE_CATCH, /* displaces the first instruction of a handler: PUSH_EXC_INFO, or COPY where it
                     * only cleans up but has a line (3.11) */
    QC_PROBE_OUT,   /* displaces nothing: exceptions that leave the code come by it */
} qc_probe_kind;

/* More flags of a probe: the frame begins or goes on here, or is left or suspended. Contexts that
 * begin with a function ask (qc_context.h). And: the unit before is the RESUME of a suspended
 * frame, whose QC_HIT_PASSED is hit, too. */
enum {
    QC_PROBE_RESUMED = 16, /* as QC_HIT_UNWIND, which no probe knows before */
    QC_TELLS_BEGIN = 64,
    QC_TELLS_END = 128,
    QC_TELLS = QC_TELLS_BEGIN | QC_TELLS_END
};

typedef struct qc_planned {
    qc_probe_kind kind;
    uint32_t where;   /* index of the instruction */
    unsigned flags;   /* QC_HIT_LINE, QC_HIT_RETURN, QC_HIT_PASSED: its own hits; and those above */
    uint32_t own;     /* the instruction whose hits QC_HIT_RETURN and QC_HIT_PASSED are */
    int32_t slots;    /* of a generator: of the stack that its trampoline needs */
    uint32_t begin;   /* of QC_PROBE_CATCH: the instruction where the handler's line begins */
    uint32_t side_of; /* index of a branch whose side is hit, too; QC_PROBE_NONE */
    unsigned side;    /* QC_HIT_LEFT or QC_HIT_RIGHT */
} qc_planned;

/* A location that begins on one line and ends on another. */
typedef struct qc_line_span {
    int32_t from, to;
} qc_line_span;

typedef struct qc_plan {
    qc_instruction *instructions;
    uint32_t count;
    uint32_t *index; /* unit → index of the instruction that begins there */
    uint32_t *forks; /* indices of the branches, and of the ends of an async for */
    uint32_t fork_count;
    uint32_t units;
    uint32_t first;     /* index of the first instruction that can have a probe */
    uint32_t wrapper;   /* unit of the handler around a whole generator; QC_PROBE_NONE */
    qc_planned *probes; /* in the order of their places */
    uint32_t probe_count, probe_capacity;

    int32_t lowest, highest; /* lines; both 0: there is none */
    qc_line_span *spans;     /* the locations that go on to another line */
    uint32_t span_count, span_capacity;

    bool generator; /* or a coroutine */
    bool classes;   /* it makes some */
    bool tells;     /* it is asked where frames begin and end */
    bool contexts;  /* tells, or a generator */
    bool outs;      /* some instruction has `out` */
    bool pads;      /* some instruction needs a pad */
} qc_plan;

/* Makes a plan; with `tells`, for code that contexts may begin with. If the code is
 * `marked`, `marks` are its hits with what qc_flow_mark() has set, NULL if that was nothing; else
 * it is found anew. 0; -1 when memory ran out; 1 when this code can't have probes (unknown or
 * unreachable code): nothing is to be freed then. */
int qc_plan_make(qc_plan *plan, const qc_codeview *view, bool tells, bool marked,
                 const uint8_t *marks);

void qc_plan_free(qc_plan *plan);

/* Is a frame suspended or left by this instruction, or does it begin or go on after it? (Returns
 * have probes anyway.) */
static inline bool qc_plan_tells(uint8_t opcode)
{
    return opcode == YIELD_VALUE || qc_opcode_is_resume(opcode);
}

/* The parts of making one. */

static inline bool qc_plan_is_branch(const qc_instruction *one)
{
    qc_flow_kind flow = qc_opcode_flow(one->opcode);
    return flow == QC_FLOW_BRANCH || flow == QC_FLOW_BRANCH_BACK;
}

/* Where one side of a branch leads: an entry, out of the code, or nowhere of interest. */
typedef struct qc_side_end {
    enum { QC_END_NOTHING, QC_END_ENTRY, QC_END_OUT } kind;
    uint32_t entry;
} qc_side_end;

/* Where a side of a branch on `line` leads that begins with the instruction `index`. */
qc_side_end qc_plan_follow(const qc_plan *plan, const qc_codeview *view, int32_t line,
                           uint32_t index);

/* Finds what raises, without a handler, in statements of which the way out is one of several: sets
 * `out`. 0, or -1 when memory ran out. */
int qc_plan_find_outs(qc_plan *plan, const qc_codeview *view);

#endif
