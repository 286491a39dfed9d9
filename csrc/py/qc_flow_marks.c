#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_flow.h"
#include "qc_line_choice.h"

/* From the first unit of a handler to the one where its line begins: over what has no line. -1 when
 * there is none, as in the handlers that CPython adds to clean up. */
static int64_t handler_line_unit(const qc_codeview *view, const int32_t *lines, int64_t unit)
{
    while (unit < view->units && lines[unit] < 0) {
        qc_flow_kind flow = qc_opcode_flow(view->code[2 * unit]);
        if (flow != QC_FLOW_NEXT && flow != QC_FLOW_CACHE) {
            return -1;
        }
        unit++;
    }
    return unit < view->units ? unit : -1;
}

static int mark_handlers(const qc_codeview *view, const int32_t *lines, qc_hits *hits)
{
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    int marks = 0;
    while ((at = qc_exception_next(view, at, &entry)) != NULL) {
        int64_t begin = handler_line_unit(view, lines, entry.target);
        if (begin >= 0) {
            hits->bytes[begin] |= QC_MARK_HANDLER;
            marks = QC_MARK_HANDLER;
        }
    }
    return marks;
}

/* Has coverage.py more than one way on from the line of this instruction? It has a branch, or what
 * makes a class, whose body may be on the same line. */
static bool forks(uint8_t opcode)
{
    qc_flow_kind flow = qc_opcode_flow(opcode);
    return flow == QC_FLOW_BRANCH || flow == QC_FLOW_BRANCH_BACK || opcode == LOAD_BUILD_CLASS;
}

/* Chooses the lines that have such an instruction, and those that its expression goes on to. */
static void choose_spans(qc_line_choice *choice, const qc_codeview *view)
{
    qc_line_cursor cursor;
    int32_t line = -1, last = -1; /* of the location that the cursor is in */
    int32_t tested = -1;          /* where the one before ends: a condition, or what is gone over */
    qc_line_cursor_init(&cursor, view);
    while (qc_line_cursor_next(&cursor)) {
        if (cursor.line != line || cursor.last != last) {
            tested = last;
            line = cursor.line;
            last = cursor.last;
        }
        int32_t to = -1;
        for (uint32_t k = 0; k < cursor.units && cursor.start + k < view->units; k++) {
            uint8_t opcode = view->code[2 * (size_t)(cursor.start + k)];
            bool statement = QC_JUMP_IS_STATEMENT && tested < last && opcode != LOAD_BUILD_CLASS;
            to = !forks(opcode) ? to : !statement ? last : tested > line ? tested : line;
        }
        int64_t end = (int64_t)choice->lowest + choice->count; /* whatever the table says */
        for (int32_t chosen = line; chosen >= 0 && chosen <= to && chosen < end; chosen++) {
            qc_choose(choice, chosen);
        }
    }
}

/* The same where no expression goes on to another line. */
static void choose_lines(qc_line_choice *choice, const qc_codeview *view, const int32_t *lines)
{
    for (uint32_t unit = 0; unit < view->units; unit++) {
        if (forks(view->code[2 * (size_t)unit])) {
            qc_choose(choice, lines[unit]);
        }
    }
}

/* Is the instruction at `unit` reached in sequence from what may raise? */
static bool after_risk(const qc_codeview *view, uint32_t unit)
{
    while (unit-- > 0) {
        uint8_t opcode = view->code[2 * (size_t)unit];
        qc_flow_kind flow = qc_opcode_flow(opcode);
        if (flow == QC_FLOW_NEXT && !qc_opcode_is_harmless(opcode)) {
            return true;
        }
        if (flow != QC_FLOW_NEXT && flow != QC_FLOW_CACHE && flow != QC_FLOW_EXTEND &&
            flow != QC_FLOW_JUMP && flow != QC_FLOW_JUMP_BACK) {
            return false;
        }
    }
    return false;
}

/* Marks the jumps from such lines to others that are reached in sequence from what may raise. */
static int mark_jumps(const qc_codeview *view, const int32_t *lines, const qc_line_choice *forked,
                      qc_hits *hits)
{
    int marks = 0;
    for (uint32_t unit = 0; unit < view->units; unit++) {
        uint8_t opcode = view->code[2 * (size_t)unit];
        if (!qc_opcode_has_jump_event(opcode) || !qc_is_chosen(forked, lines[unit])) {
            continue;
        }
        bool backward = qc_opcode_flow(opcode) == QC_FLOW_JUMP_BACK;
        uint32_t target = qc_jump_target(view, unit, qc_full_argument(view, unit), backward);
        if (target < view->units && lines[target] != lines[unit] && after_risk(view, unit)) {
            hits->bytes[unit] |= QC_MARK_PROOF;
            marks = QC_MARK_PROOF;
        }
    }
    return marks;
}

/* Marks what stores a class where an exception may lead past it: the line of the class goes on to
 * the next only by way of that. */
static int mark_classes(const qc_codeview *view, qc_hits *hits)
{
    bool building = false;
    int marks = 0;
    for (uint32_t unit = 0; QC_HAVE_PROBES && unit < view->units; unit++) {
        uint8_t opcode = view->code[2 * (size_t)unit];
        building |= opcode == LOAD_BUILD_CLASS;
        if (building && (opcode == STORE_NAME || opcode == STORE_FAST || opcode == STORE_DEREF ||
                         opcode == STORE_GLOBAL)) {
            building = false;
            if (qc_handler_of(view, unit) >= 0) {
                hits->bytes[unit] |= QC_MARK_PROOF;
                marks = QC_MARK_PROOF;
            }
        }
    }
    return marks;
}

/* Is there anything that may be marked? */
static bool may_have_marks(const qc_codeview *view)
{
    enum { BRANCHES = 1u << QC_FLOW_BRANCH | 1u << QC_FLOW_BRANCH_BACK };
    bool found = view->exceptions_size > 0;
    for (uint32_t unit = 0; unit < view->units && !found; unit++) {
        found = BRANCHES >> qc_opcode_flow(view->code[2 * (size_t)unit]) & 1;
    }
    return found;
}

int qc_flow_mark(const qc_codeview *view, qc_hits *hits)
{
    if (!may_have_marks(view)) {
        return 0;
    }
    qc_line_extent extent;
    int32_t *lines = qc_lines_new(view, &extent);
    qc_line_choice forked = {0};
    int marks = -1;
    if (lines != NULL && qc_choice_init(&forked, &extent) == 0) {
        if (extent.spans) {
            choose_spans(&forked, view);
        } else {
            choose_lines(&forked, view, lines);
        }
        marks = mark_handlers(view, lines, hits) | mark_jumps(view, lines, &forked, hits) |
                (view->exceptions_size > 0 ? mark_classes(view, hits) : 0);
        qc_choice_free(&forked);
    }
    qc_free(lines, view->units * sizeof(int32_t));
    return marks;
}
