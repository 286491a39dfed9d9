#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_probe_plan.h"

#if QC_HAVE_PROBES

/* coverage.py sees a line left for good when an exception leaves the code there. That is of
 * interest where it may take that for a branch: where the line has branches (BRANCHES) and a way
 * out (ENDS), or is the loop of an async for (ASYNC) that raises (RAISES). */
enum { BRANCHES = 1, ENDS = 2, ASYNC = 4, RAISES = 8, ALL = 15 };

/* Code that spans more lines than that was not written by hand: all that it raises is of interest.
 */
enum { MOST_LINES = 1 << 20 };

/* The lines of a code object. */
typedef struct line_notes {
    int32_t lowest;
    uint32_t count;
    uint8_t *notes;   /* of each line, from the lowest on; NULL: ALL, of too many lines */
    uint32_t *groups; /* of each line, the first line of its group; before that is known, its reach:
                       * the last line that a location goes on to */
} line_notes;

static uint8_t notes_of(const qc_plan *plan, const qc_codeview *view, const qc_instruction *one)
{
    qc_flow_kind flow = qc_opcode_flow(one->opcode);
    uint8_t notes = 0;
    if (qc_plan_is_branch(one)) {
        bool out = qc_plan_follow(plan, view, one->line, one->next).kind == QC_END_OUT ||
                   qc_plan_follow(plan, view, one->line, one->target).kind == QC_END_OUT;
        notes |= (uint8_t)(BRANCHES | (out ? ENDS : 0));
    }
    if (flow == QC_FLOW_ASYNC_END) {
        bool out = qc_plan_follow(plan, view, one->line, one->next).kind == QC_END_OUT;
        notes |= (uint8_t)(BRANCHES | ASYNC | (out ? ENDS : 0));
    }
    notes |= flow == QC_FLOW_RETURN ? ENDS : 0;
    notes |= flow == QC_FLOW_RAISE ? RAISES : 0;
    return notes;
}

static void note_reach(const qc_codeview *view, line_notes *lines)
{
    qc_line_cursor cursor;
    qc_line_cursor_init(&cursor, view);
    while (qc_line_cursor_next(&cursor)) {
        if (cursor.line >= lines->lowest) {
            uint32_t line = (uint32_t)(cursor.line - lines->lowest);
            uint32_t last = (uint32_t)cursor.last - (uint32_t)lines->lowest;
            last = last < lines->count ? last : lines->count - 1;
            lines->groups[line] = last > lines->groups[line] ? last : lines->groups[line];
        }
    }
}

/* Makes groups of lines, and what is noted of one line of a group is of all: to coverage.py the
 * lines of a statement are one. (Not all groups are statements, some are blocks. That does no
 * harm.) */
static void join_lines(line_notes *lines)
{
    for (uint32_t from = 0, end; from < lines->count; from = end + 1) {
        uint8_t all = 0;
        end = from;
        for (uint32_t line = from; line <= end; line++) {
            all |= lines->notes[line];
            end = lines->groups[line] > end ? lines->groups[line] : end;
            lines->groups[line] = from;
        }
        memset(lines->notes + from, all, end - from + 1);
    }
}

static bool is_reached(const qc_instruction *one, const line_notes *lines)
{
    return one->line >= lines->lowest && one->before != QC_BEFORE_NOTHING;
}

/* Is all the code in one group? It may be on a line of the code around it, and is a part of that.
 */
static bool is_one_group(const qc_plan *plan, const line_notes *lines)
{
    uint32_t group = UINT32_MAX;
    for (uint32_t k = plan->first; k < plan->count; k++) {
        const qc_instruction *one = &plan->instructions[k];
        if (is_reached(one, lines)) {
            uint32_t its = lines->groups[one->line - lines->lowest];
            if (group != UINT32_MAX && group != its) {
                return false;
            }
            group = its;
        }
    }
    return true;
}

/* Which exceptions of a plan are of interest. */
typedef struct interest {
    const line_notes *lines;
    bool whole; /* all of them */
} interest;

/* Is it of interest that what this instruction raises leaves the code? */
static bool is_of_interest(const qc_plan *plan, const interest *asked, const qc_instruction *one)
{
    const line_notes *lines = asked->lines;
    if (!is_reached(one, lines)) {
        return false;
    }
    uint8_t notes = lines->notes != NULL ? lines->notes[one->line - lines->lowest] : ALL;
    bool loop = (notes & (ASYNC | RAISES)) == (ASYNC | RAISES);
    bool wanted =
        asked->whole || plan->tells || loop || (notes & (BRANCHES | ENDS)) == (BRANCHES | ENDS);
    /* What is thrown into a generator at its yield is no way out, to coverage.py. */
    return wanted && !qc_opcode_is_harmless(one->opcode) && one->opcode != YIELD_VALUE &&
           (loop || plan->tells || qc_opcode_flow(one->opcode) != QC_FLOW_RAISE);
}

/* From a handler over others that have no line, and so only clean up, to what raises again for the
 * last time; QC_PROBE_NONE if a line begins on the way. */
static uint32_t last_reraise(const qc_plan *plan, const qc_codeview *view, uint32_t unit)
{
    uint32_t k = plan->index[unit];
    for (uint32_t steps = 0; k != QC_PROBE_NONE && steps < plan->count; steps++) {
        const qc_instruction *one = &plan->instructions[k];
        qc_flow_kind flow = qc_opcode_flow(one->opcode);
        if (one->line >= 0 || (flow != QC_FLOW_NEXT && flow != QC_FLOW_RAISE)) {
            return QC_PROBE_NONE;
        }
        if (flow == QC_FLOW_RAISE && !one->covered) {
            return k;
        }
        int64_t handler = flow == QC_FLOW_RAISE ? qc_handler_of(view, one->unit) : -1;
        k = handler >= 0 ? plan->index[handler] : one->next;
    }
    return QC_PROBE_NONE;
}

/* What is raised in the body of an `except` or `finally` leaves by a handler that cleans up. */
static void mark_reraises(qc_plan *plan, const qc_codeview *view, const interest *asked)
{
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    while ((at = qc_exception_next(view, at, &entry)) != NULL) {
        uint32_t last =
            entry.target != plan->wrapper ? last_reraise(plan, view, entry.target) : QC_PROBE_NONE;
        bool out = false;
        for (uint32_t unit = entry.start;
             last != QC_PROBE_NONE && !out && unit - entry.start < entry.length; unit++) {
            uint32_t k = unit < view->units ? plan->index[unit] : QC_PROBE_NONE;
            out = k != QC_PROBE_NONE && k >= plan->first &&
                  is_of_interest(plan, asked, &plan->instructions[k]);
        }
        if (out) {
            plan->instructions[last].out = plan->outs = true;
        }
    }
}

static void mark_outs(qc_plan *plan, const qc_codeview *view, const line_notes *lines)
{
    interest asked = {.lines = lines, .whole = lines->notes == NULL || is_one_group(plan, lines)};
    for (uint32_t k = plan->first; k < plan->count; k++) {
        qc_instruction *one = &plan->instructions[k];
        one->out = !one->covered && is_of_interest(plan, &asked, one);
        plan->outs |= one->out;
    }
    mark_reraises(plan, view, &asked);
}

int qc_plan_find_outs(qc_plan *plan, const qc_codeview *view)
{
    line_notes lines = {.lowest = plan->lowest};
    if (plan->highest == 0) {
        return 0;
    }
    lines.count = (uint32_t)(plan->highest - plan->lowest) + 1;
    if (lines.count > MOST_LINES) {
        mark_outs(plan, view, &lines);
        return 0;
    }
    lines.notes = qc_calloc(lines.count, 1);
    lines.groups = qc_calloc(lines.count, sizeof(uint32_t));
    bool good = lines.notes != NULL && lines.groups != NULL;
    if (good) {
        for (uint32_t k = plan->first; k < plan->count; k++) {
            const qc_instruction *one = &plan->instructions[k];
            if (one->line >= lines.lowest) {
                lines.notes[one->line - lines.lowest] |= notes_of(plan, view, one);
            }
        }
        if (plan->spans) {
            note_reach(view, &lines);
        }
        join_lines(&lines);
        mark_outs(plan, view, &lines);
    }
    qc_free(lines.notes, lines.count);
    qc_free(lines.groups, lines.count * sizeof(uint32_t));
    return good ? 0 : -1;
}

#endif
