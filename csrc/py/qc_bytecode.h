/* Reading CPython's bytecode, location tables and exception tables.
 *
 * All functions work on plain bytes: the original bytecode (not the specialized or instrumented
 * one), co_linetable and co_exceptiontable. They allocate through qc_mem, touch no Python object,
 * run no Python and may therefore be called while a code object dies. The location and exception
 * table formats are described in CPython's Objects/locations.md and Objects/exception_handling
 * notes; both are the same from 3.11 to 3.15. Positions are in code units of two bytes.
 */
#ifndef QC_BYTECODE_H
#define QC_BYTECODE_H

#include <stddef.h>
#include <stdint.h>

/* A code object as bytes; borrowed from whoever made the view. */
typedef struct qc_codeview {
    const uint8_t *code; /* units * 2 bytes; NULL where only lines are wanted */
    uint32_t units;
    const uint8_t *linetable;
    size_t linetable_size;
    const uint8_t *exceptions;
    size_t exceptions_size;
    int32_t first_line;
} qc_codeview;

/* How control leaves an instruction. */
typedef enum qc_flow_kind {
    QC_FLOW_NEXT,        /* to the next instruction */
    QC_FLOW_CACHE,       /* not an instruction */
    QC_FLOW_EXTEND,      /* EXTENDED_ARG */
    QC_FLOW_JUMP,        /* forward to its target */
    QC_FLOW_JUMP_BACK,   /* backward to its target */
    QC_FLOW_BRANCH,      /* to the next instruction, or forward to its target */
    QC_FLOW_BRANCH_BACK, /* to the next instruction, or backward to its target */
    QC_FLOW_RETURN,      /* out of the code object */
    QC_FLOW_RAISE,       /* to the handler, or out */
    QC_FLOW_ASYNC_END,   /* END_ASYNC_FOR: to the next instruction; its branch has no jump */
} qc_flow_kind;

/* Facts of an opcode: how it flows, and whether it never carries a line event of its own. */
qc_flow_kind qc_opcode_flow(uint8_t opcode);
int qc_opcode_is_silent(uint8_t opcode);
int qc_opcode_is_resume(uint8_t opcode);
int qc_opcode_is_send(uint8_t opcode);
/* Must the next instruction follow at once? CPython looks ahead, or behind, from some. */
int qc_opcode_is_glued(uint8_t opcode);
/* Can it neither raise nor be where a frame is left for good? 0 when in doubt. */
int qc_opcode_is_harmless(uint8_t opcode);
/* Has sys.monitoring a JUMP event for it? */
int qc_opcode_has_jump_event(uint8_t opcode);
/* The opcode that sys.monitoring puts in its place, for the events of branches, returns, jumps and
 * resumed frames; 0 when it is not known here. */
uint8_t qc_opcode_instrumented(uint8_t opcode);
/* The opcode where line events come from; 0 without sys.monitoring. */
uint8_t qc_opcode_of_line_events(void);

/* A cursor over the entries of a location table: which line a run of units belongs to. */
typedef struct qc_line_cursor {
    const uint8_t *at, *end;
    int32_t computed; /* the line so far, also through entries without one */
    uint32_t start;   /* first unit of the current entry */
    uint32_t units;   /* its length */
    int32_t line;     /* its line, 0 in an empty module; -1 when it has none */
    int32_t last;     /* the last line of the expression or statement that it belongs to */
} qc_line_cursor;

void qc_line_cursor_init(qc_line_cursor *cursor, const qc_codeview *view);
/* Moves to the next entry; 0 at the end. */
int qc_line_cursor_next(qc_line_cursor *cursor);

/* Sets in `bits`, one for each unit, those where the line may be another than before: all where it
 * is, and few more. Quicker than reading the lines. */
void qc_line_changes(const qc_codeview *view, uint64_t *bits);

/* Fills lines[0..units) with the line of each unit, -1 for none. */
void qc_lines_of_units(const qc_codeview *view, int32_t *lines);

/* Where the lines of a code object lie. */
typedef struct qc_line_extent {
    int32_t lowest, highest; /* -1: there is no line at all */
    int spans; /* something goes on to another line, as an expression over several lines does */
} qc_line_extent;

/* The same in new memory; NULL when memory ran out, or where there are no units. */
int32_t *qc_lines_new(const qc_codeview *view, qc_line_extent *extent);

/* The smallest and largest line; 0 when there is no line at all. */
int qc_line_range(const qc_codeview *view, int32_t *lowest, int32_t *highest);

/* One entry of an exception table: what is raised in [start, start + length) lands on target. */
typedef struct qc_exception_entry {
    uint32_t start, length, target;
    uint32_t depth; /* of the stack, and whether the place of the exception is pushed */
} qc_exception_entry;

/* Reads the entry at `at` (first view->exceptions) and returns where the next one is; NULL after
 * the last. Entries are sorted and do not overlap. */
const uint8_t *qc_exception_next(const qc_codeview *view, const uint8_t *at,
                                 qc_exception_entry *entry);

/* Does the handler around a whole generator stand at `unit` (3.12+)? It has a StopIteration be a
 * RuntimeError, and raises again. */
int qc_is_wrapper(const qc_codeview *view, uint32_t unit);

/* The unit of the handler that an exception at `unit` lands on; -1 when it leaves the code. */
int64_t qc_handler_of(const qc_codeview *view, uint32_t unit);

/* The argument of the instruction at `unit`, with those of the EXTENDED_ARGs before it. */
uint32_t qc_full_argument(const qc_codeview *view, uint32_t unit);

/* Where the jump at `unit`, with the argument `argument`, goes. */
uint32_t qc_jump_target(const qc_codeview *view, uint32_t unit, uint32_t argument, int backward);

/* The unit after an async for whose END_SEND stands at `unit` (3.14+); -1 if there is none. */
int64_t qc_async_for_exit(const qc_codeview *view, uint32_t unit);

#endif
