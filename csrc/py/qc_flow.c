#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_flow.h"
#include "qc_line_choice.h"

enum { MAX_DEPTH = 8 }; /* of branches without a line, one after the other */

/* One record being resolved. */
typedef struct resolver {
    const qc_codeview *view;
    const qc_hits *hits;
    int32_t *lines; /* of each unit */
    qc_arcset *arcs;
    qc_line_choice has_arc;
} resolver;

static int add_arc(const resolver *r, int32_t from, int32_t to)
{
    qc_choose(&r->has_arc, from);
    qc_choose(&r->has_arc, to);
    return qc_arcset_add(r->arcs, qc_arc_pack(from, to)) < 0 ? -1 : 0;
}

/* Has CPython no event for the line that begins at `unit`? After POP_ITER, END_ASYNC_FOR and such
 * it has one only if the instruction that stands before those is on another line, however this
 * one is reached: not where a loop ends in a copy of the return or raise that follows it (3.14).
 * For a unit that was reached in sequence: a jump's target always has an event. */
static bool has_no_event(const resolver *r, uint32_t unit)
{
    const uint8_t *code = r->view->code;
    uint32_t before = unit;
    while (before > 0 && qc_opcode_is_silent(code[2 * (before - 1)])) {
        before--;
    }
    return before < unit && before > 0 && r->lines[before - 1] == r->lines[unit];
}

static int follow_sides(const resolver *r, int32_t line, uint32_t unit, int depth);

/* Does the SEND at `unit` wait for the next item of an async for? There may be none. */
static bool awaits_item(const qc_codeview *view, uint32_t unit)
{
    int64_t handler = qc_opcode_is_send(view->code[2 * unit]) ? qc_handler_of(view, unit) : -1;
    return handler >= 0 && qc_opcode_flow(view->code[2 * handler]) == QC_FLOW_ASYNC_END;
}

/* Is it open whether control got past this unit? */
static bool lacks_proof(const qc_hits *hits, uint32_t unit)
{
    return qc_hits_has(hits, unit, QC_MARK_PROOF) && !qc_hits_has(hits, unit, QC_HIT_PASSED);
}

/* Adds the arc from `line` to wherever the code at `unit` leads, if that was reached: a line
 * whose event was hit, a handler, or the way out. A further branch on the way ends the search;
 * it has hits of its own. (That an async for goes on to its body shows by what is hit there; by
 * QC_HIT_UNWIND if that raises on the same line.) 0, or -1 when memory ran out. */
static int follow(const resolver *r, int32_t line, uint32_t unit, int depth)
{
    const qc_codeview *view = r->view;
    uint32_t argument = 0, start = unit;
    bool jumped = false, in_loop = false;
    for (uint32_t steps = 0; unit < view->units && steps <= view->units; steps++) {
        uint8_t opcode = view->code[2 * unit];
        qc_flow_kind flow = qc_opcode_flow(opcode);
        int32_t here = r->lines[unit];
        if (flow != QC_FLOW_CACHE && here >= 0 && here != line && !qc_opcode_is_silent(opcode)) {
            bool hit = qc_hits_has(r->hits, start, QC_HIT_LINE);
            if (hit || jumped || !has_no_event(r, start)) {
                return hit ? add_arc(r, line, here) : 0;
            }
            if (add_arc(r, line, here) < 0) {
                return -1;
            }
            line = here; /* reached without an event: the way on is that line's */
        }
        if (lacks_proof(r->hits, unit)) {
            return 0;
        }
        argument |= view->code[2 * unit + 1];
        switch (flow) {
        case QC_FLOW_EXTEND:
            argument <<= 8;
            unit++;
            continue;
        case QC_FLOW_JUMP:
        case QC_FLOW_JUMP_BACK:
            in_loop |= awaits_item(view, unit);
            unit = qc_jump_target(view, unit, argument, flow == QC_FLOW_JUMP_BACK);
            jumped = true;
            break;
        case QC_FLOW_RAISE: {
            int64_t handler = qc_handler_of(view, unit);
            if (handler < 0) {
                return in_loop ? 0 : add_arc(r, line, -view->first_line);
            }
            unit = (uint32_t)handler;
            jumped = true;
            break;
        }
        case QC_FLOW_RETURN:
            return qc_hits_has(r->hits, unit, QC_HIT_RETURN) ? add_arc(r, line, -view->first_line)
                                                             : 0;
        case QC_FLOW_BRANCH:
        case QC_FLOW_BRANCH_BACK:
            return here < 0 ? follow_sides(r, line, unit, depth) : 0;
        case QC_FLOW_ASYNC_END:
            return 0; /* a branch, too */
        default:
            unit++;
            jumped = false;
        }
        argument = 0;
        start = unit;
    }
    return 0;
}

static int32_t line_of(const qc_codeview *view, uint32_t unit)
{
    qc_line_cursor cursor;
    qc_line_cursor_init(&cursor, view);
    while (qc_line_cursor_next(&cursor)) {
        if (unit - cursor.start < cursor.units) {
            return cursor.line;
        }
    }
    return -1;
}

/* Does a handler that begins at `at` lead to the line that begins at `handler`? Handlers that only
 * clean up have no line: they raise again, for the next one. So do the end of an async for,
 * whatever its iterator raises but StopAsyncIteration, and that of an await, whatever is thrown in.
 */
static bool leads_to(const qc_codeview *view, int64_t at, uint32_t handler)
{
    for (uint32_t steps = 0; at >= 0 && at < view->units && steps < view->units; steps++) {
        if (at == handler) {
            return true;
        }
        qc_flow_kind flow = qc_opcode_flow(view->code[2 * at]);
        int opcode = view->code[2 * at]; /* so that it can be compared with -1 */
        if (flow == QC_FLOW_ASYNC_END || opcode == QC_OP_CLEANUP_THROW ||
            (flow == QC_FLOW_RAISE && line_of(view, (uint32_t)at) < 0)) {
            at = qc_handler_of(view, (uint32_t)at);
        } else if (flow == QC_FLOW_NEXT || flow == QC_FLOW_CACHE) {
            at++;
        } else {
            return false;
        }
    }
    return false;
}

/* Is what this instruction raises thrown into it, without an arc for coverage.py? */
static bool lands_unseen(uint8_t opcode)
{
    return QC_THROW_FORGETS_LINE && opcode == YIELD_VALUE;
}

int qc_flow_lands(const qc_codeview *view, uint32_t unit, uint32_t handler)
{
    return unit < view->units && !lands_unseen(view->code[2 * (size_t)unit]) &&
           leads_to(view, qc_handler_of(view, unit), handler);
}

int qc_flow_all_landed(const qc_codeview *view, uint32_t handler, int32_t line,
                       const qc_arcset *arcs)
{
    qc_line_extent extent;
    int32_t *lines = qc_lines_new(view, &extent);
    if (lines == NULL) {
        return -1;
    }
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    int all = 1;
    while (all && (at = qc_exception_next(view, at, &entry)) != NULL) {
        if (!leads_to(view, entry.target, handler)) {
            continue;
        }
        for (uint32_t unit = entry.start; all && unit - entry.start < entry.length; unit++) {
            all = unit >= view->units || lines[unit] < 0 ||
                  qc_opcode_is_harmless(view->code[2 * unit]) ||
                  lands_unseen(view->code[2 * unit]) ||
                  qc_arcset_has(arcs, qc_arc_pack(lines[unit], line));
        }
    }
    qc_free(lines, view->units * sizeof(int32_t));
    return all;
}

/* The unit that one side of the branch at `unit` goes to; -1 when there is no branch there. */
static int64_t side_of(const qc_codeview *view, uint32_t unit, unsigned side)
{
    uint8_t opcode = view->code[2 * unit];
    qc_flow_kind flow = qc_opcode_flow(opcode);
    if (flow != QC_FLOW_BRANCH && flow != QC_FLOW_BRANCH_BACK) {
        return side == QC_HIT_LEFT ? (int64_t)unit + 1 : qc_async_for_exit(view, unit);
    }
    uint32_t argument = side == QC_HIT_LEFT ? 0 : qc_full_argument(view, unit);
    return qc_jump_target(view, unit, argument, flow == QC_FLOW_BRANCH_BACK);
}

/* Goes on through a branch that has no line, by the sides that were taken: except* has one. */
static int follow_sides(const resolver *r, int32_t line, uint32_t unit, int depth)
{
    for (unsigned side = QC_HIT_LEFT; side <= QC_HIT_RIGHT; side <<= 1) {
        int64_t target = qc_hits_has(r->hits, unit, side) ? side_of(r->view, unit, side) : -1;
        if (target >= 0 && depth < MAX_DEPTH && follow(r, line, (uint32_t)target, depth + 1) < 0) {
            return -1;
        }
    }
    return 0;
}

static int resolve_side(const resolver *r, uint32_t unit, unsigned side)
{
    int64_t target = side_of(r->view, unit, side);
    if (target < 0 || r->lines[unit] < 0) {
        return 0;
    }
    return follow(r, r->lines[unit], (uint32_t)target, 0);
}

static int resolve_unit(const resolver *r, uint32_t unit, unsigned flags)
{
    int32_t line = r->lines[unit];
    if (flags & QC_HIT_LINE && line >= 0) {
        if (follow(r, line, unit, 0) < 0) {
            return -1;
        }
    }
    if (flags & QC_HIT_LEFT && resolve_side(r, unit, QC_HIT_LEFT) < 0) {
        return -1;
    }
    if (flags & QC_HIT_RIGHT && resolve_side(r, unit, QC_HIT_RIGHT) < 0) {
        return -1;
    }
    bool left = flags & QC_HIT_RETURN;
    if (flags & QC_HIT_PASSED && line >= 0) {
        uint8_t opcode = r->view->code[2 * unit];
        if (qc_opcode_is_resume(opcode) && follow(r, line, unit, 0) < 0) {
            return -1;
        }
        qc_flow_kind flow = qc_opcode_flow(opcode);
        left |= flow == QC_FLOW_NEXT && !qc_opcode_is_resume(opcode) &&
                !qc_hits_has(r->hits, unit, QC_MARK_PROOF);
        left |= flow == QC_FLOW_RAISE || flow == QC_FLOW_ASYNC_END;
    }
    if (flags & QC_HIT_UNWIND && line >= 0) {
        /* Handlers may have raised it again, as the one around a whole generator does. */
        int64_t handler = qc_handler_of(r->view, unit);
        left |= handler < 0;
        if (handler >= 0 && follow(r, line, (uint32_t)handler, 0) < 0) {
            return -1;
        }
    }
    return left && line >= 0 ? add_arc(r, line, -r->view->first_line) : 0;
}

/* Adds (n, n) for each line that was hit and is in no other arc: that it ran must be seen. */
static int add_lone_lines(const resolver *r, const uint8_t *flags)
{
    int result = 0;
    for (uint32_t unit = 0; unit < r->hits->units && result == 0; unit++) {
        int32_t line = r->lines[unit];
        if (flags[unit] & QC_HIT_LINE && line >= 0 && !qc_is_chosen(&r->has_arc, line)) {
            result = add_arc(r, line, line);
        }
    }
    return result;
}

int qc_flow_place(const qc_codeview *view, uint32_t unit, unsigned flags, qc_arcset *arcs)
{
    enum { ALL = QC_HIT_ALL | QC_HIT_UNWIND | QC_HIT_PASSED };
    qc_hits hits = {.bytes = qc_malloc(view->units), .units = view->units};
    qc_line_extent extent;
    resolver r = {.view = view, .hits = &hits, .lines = qc_lines_new(view, &extent), .arcs = arcs};
    int result = -1;
    if (hits.bytes != NULL && r.lines != NULL && qc_choice_init(&r.has_arc, &extent) == 0) {
        memset(hits.bytes, ALL, view->units);
        result = resolve_unit(&r, unit, flags);
    }
    qc_choice_free(&r.has_arc);
    qc_free(r.lines, view->units * sizeof(int32_t));
    qc_free(hits.bytes, view->units);
    return result;
}

/* As int, so that it can be compared with -1. */
static int opcode_at(const qc_codeview *view, int64_t unit)
{
    return view->code[2 * unit];
}

/* The unit of the event that tells of one side of a branch: the branch, or what stands there for
 * this event alone (3.14: NOT_TAKEN, POP_ITER, END_ASYNC_FOR). */
static int64_t event_of_side(const qc_codeview *view, uint32_t unit, unsigned side)
{

    uint8_t opcode = view->code[2 * unit];
    bool is_async = qc_opcode_flow(opcode) == QC_FLOW_NEXT;
    if (side == QC_HIT_RIGHT && is_async) {
        int64_t exit = qc_async_for_exit(view, unit);
        return exit > 0 ? exit - 1 : unit;
    }
    int64_t at = side_of(view, unit, side);
    if (side == QC_HIT_LEFT) {
        while (at < view->units && qc_opcode_flow(view->code[2 * at]) == QC_FLOW_CACHE) {
            at++;
        }
        return at < view->units && opcode_at(view, at) == QC_OP_NOT_TAKEN ? at : unit;
    }
    while (opcode == FOR_ITER && at < view->units && qc_opcode_is_silent(view->code[2 * at])) {
        if (opcode_at(view, at) == QC_OP_POP_ITER) {
            return at;
        }
        at++;
    }
    return unit;
}

int64_t qc_flow_event_unit(const qc_codeview *view, uint32_t unit, unsigned flag)
{
    uint8_t opcode = view->code[2 * unit];
    switch (flag) {
    case QC_HIT_LINE:
    case QC_HIT_RETURN:
        return unit;
    case QC_HIT_LEFT:
    case QC_HIT_RIGHT:
        return event_of_side(view, unit, flag);
    case QC_HIT_PASSED:
        return qc_opcode_is_resume(opcode) || qc_opcode_has_jump_event(opcode) ? (int64_t)unit
                                                                               : QC_NO_UNIT;
    default:
        return QC_NO_UNIT;
    }
}

int qc_flow_arcs(const qc_codeview *view, const qc_hits *hits, qc_file *file)
{
    return qc_flow_arcs_of(view, hits, hits->bytes, file);
}

int qc_flow_arcs_of(const qc_codeview *view, const qc_hits *hits, const uint8_t *flags,
                    qc_file *file)
{
    qc_line_extent extent;
    resolver r = {
        .view = view, .hits = hits, .lines = qc_lines_new(view, &extent), .arcs = &file->arcs};
    int result = 0;
    if (r.lines == NULL) {
        return view->units == 0 ? 0 : -1;
    }
    result = qc_choice_init(&r.has_arc, &extent);
    for (uint32_t unit = 0; unit < hits->units && result == 0; unit++) {
        if (flags[unit]) {
            result = resolve_unit(&r, unit, flags[unit]);
        }
    }
    result = result == 0 ? add_lone_lines(&r, flags) : result;
    qc_choice_free(&r.has_arc);
    qc_free(r.lines, view->units * sizeof(int32_t));
    return result;
}

int qc_flow_lines(const qc_codeview *view, const qc_hits *hits, qc_file *file)
{
    qc_line_cursor cursor;
    qc_line_cursor_init(&cursor, view);
    while (qc_line_cursor_next(&cursor)) {
        for (uint32_t k = 0; k < cursor.units && cursor.line >= 0; k++) {
            if (qc_hits_has(hits, cursor.start + k, QC_HIT_LINE) &&
                qc_lineset_add(&file->lines, cursor.line) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Was every run of units with a line of its own hit? The run up to the first RESUME has no event.
 */
static int lines_complete(const qc_codeview *view, const qc_hits *hits)
{
    qc_line_cursor cursor;
    int32_t line = 0;
    bool hit = true;
    qc_line_cursor_init(&cursor, view);
    while (qc_line_cursor_next(&cursor)) {
        if (cursor.line > 0 && cursor.line != line) {
            if (!hit) {
                return 0;
            }
            hit = line == 0 && cursor.line == view->first_line;
            line = cursor.line;
        }
        for (uint32_t k = 0; k < cursor.units && !hit; k++) {
            hit = qc_hits_has(hits, cursor.start + k, QC_HIT_LINE);
        }
    }
    return hit;
}

int qc_flow_complete(const qc_codeview *view, const qc_hits *hits, int branches)
{
    if (!lines_complete(view, hits)) {
        return 0;
    }
    for (uint32_t unit = 0; branches && unit < view->units; unit++) {
        qc_flow_kind flow = qc_opcode_flow(view->code[2 * unit]);
        if ((flow == QC_FLOW_BRANCH || flow == QC_FLOW_BRANCH_BACK) &&
            !(qc_hits_has(hits, unit, QC_HIT_LEFT) && qc_hits_has(hits, unit, QC_HIT_RIGHT))) {
            return 0;
        }
        if (flow == QC_FLOW_ASYNC_END) {
            return 0; /* its sides have no jump to look at */
        }
        if (lacks_proof(hits, unit)) {
            return 0;
        }
        if (flow == QC_FLOW_RETURN && !qc_hits_has(hits, unit, QC_HIT_RETURN)) {
            return 0;
        }
    }
    return 1;
}
