#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_probe_plan.h"

#if QC_HAVE_PROBES

/* coverage.py sees a line left for good when an exception leaves the code there. That is of
 * interest where it may take that for a branch: where the line has branches (BRANCHES) and a way
 * out (ENDS), or is the loop of an async for (ASYNC) that raises (RAISES). */
enum { BRANCHES = 1, ENDS = 2, ASYNC = 4, RAISES = 8, ALL = 15, HERE = 16 /* there is code */ };

/* Code that spans more lines than that was not written by hand: all that it raises is of interest.
 */
enum { MOST_LINES = 1 << 20 };

/* The lines of a code object. */
typedef struct line_notes {
    int32_t lowest;
    uint32_t count;
    bool wanted;      /* exceptions are of interest on some line, as far as notes tell */
    uint8_t *notes;   /* of each line, from the lowest on; NULL: ALL, of too many lines */
    uint32_t *groups; /* of each line, the first line of its group; before that is known, its reach:
                       * the last line that a location goes on to */
} line_notes;

/* Is an exception that leaves the code from a line with these notes of interest? */
static bool is_loop_out(uint8_t notes)
{
    return (notes & (ASYNC | RAISES)) == (ASYNC | RAISES);
}

static bool is_branch_out(uint8_t notes)
{
    return (notes & (BRANCHES | ENDS)) == (BRANCHES | ENDS);
}

static uint8_t notes_of(const qc_plan *plan, const qc_codeview *view, const qc_instruction *one)
{
    qc_flow_kind flow = qc_opcode_flow(one->opcode);
    uint8_t notes = HERE;
    if (qc_plan_is_branch(one)) {
        bool out = qc_plan_follow(plan, view, one->line, one->next).kind == QC_END_OUT ||
                   qc_plan_follow(plan, view, one->line, one->target).kind == QC_END_OUT;
        notes |= (uint8_t)(BRANCHES | (out ? ENDS : 0));
    }
    if (flow == QC_FLOW_ASYNC_END) {
        bool out = qc_plan_follow(plan, view, one->line, one->next).kind == QC_END_OUT;
        notes |= (uint8_t)(BRANCHES | ASYNC | (out ? ENDS : 0));
    }
    bool out = flow == QC_FLOW_RETURN || (one->opcode == RAISE_VARARGS && !one->covered);
    notes |= out ? ENDS : 0;
    notes |= flow == QC_FLOW_RAISE ? RAISES : 0;
    notes |= one->opcode == LOAD_BUILD_CLASS ? BRANCHES : 0; /* its body may be on the same line */
    return notes;
}

static void note_reach(const qc_plan *plan, const line_notes *lines)
{
    for (uint32_t k = 0; k < plan->span_count; k++) {
        uint32_t line = (uint32_t)(plan->spans[k].from - lines->lowest);
        uint32_t last = (uint32_t)plan->spans[k].to - (uint32_t)lines->lowest;
        last = last < lines->count ? last : lines->count - 1;
        lines->groups[line] = last > lines->groups[line] ? last : lines->groups[line];
        lines->notes[line] |= HERE;
    }
}

/* The first line from this one on that has code; their number if there is none. What makes a class
 * or a function spans the lines of its code. */
static uint32_t next_with_code(const line_notes *lines, uint32_t line)
{
    uint64_t eight = 0;
    while (eight == 0 && line + sizeof eight <= lines->count) {
        memcpy(&eight, lines->notes + line, sizeof eight);
        line += eight == 0 ? (uint32_t)sizeof eight : 0;
    }
    while (line < lines->count && lines->notes[line] == 0) {
        line++;
    }
    return line;
}

static bool only_jumps(const qc_instruction *one)
{
    return one->opcode == JUMP_FORWARD || one->opcode == JUMP_BACKWARD;
}

/* Where control goes from an instruction that is no branch. */
static uint32_t way_on(const qc_plan *plan, uint32_t k)
{
    const qc_instruction *one = &plan->instructions[k];
    return only_jumps(one) ? one->target : one->next;
}

/* Past the jumps that stand in the way. */
static uint32_t end_of_jumps(const qc_plan *plan, uint32_t k)
{
    for (uint32_t steps = 0; k != QC_PROBE_NONE && steps < plan->count; steps++) {
        const qc_instruction *one = &plan->instructions[k];
        if (one->opcode != NOP && !only_jumps(one)) {
            break;
        }
        k = way_on(plan, k);
    }
    return k;
}

static bool stores(uint8_t opcode)
{
    return opcode == STORE_FAST || opcode == STORE_NAME || opcode == STORE_GLOBAL ||
           opcode == STORE_DEREF || opcode == STORE_ATTR || opcode == STORE_SUBSCR;
}

/* The branch that comes after instruction k, where another one leads, when only an expression is
 * evaluated before it; else QC_PROBE_NONE. */
static uint32_t next_test(const qc_plan *plan, uint32_t k)
{
    uint8_t before = NOP;
    for (uint32_t steps = 0; k != QC_PROBE_NONE && steps < plan->count; steps++) {
        const qc_instruction *one = &plan->instructions[k];
        uint8_t opcode = one->opcode;
        if (qc_plan_is_branch(one)) {
            return k;
        }
        /* `:=` copies and stores, and of a < b < c something may be left. */
        bool statement = (stores(opcode) && before != COPY) || (opcode == POP_TOP && steps > 0);
        if ((qc_opcode_flow(opcode) != QC_FLOW_NEXT && !only_jumps(one)) || statement) {
            return QC_PROBE_NONE;
        }
        before = opcode;
        k = way_on(plan, k);
    }
    return QC_PROBE_NONE;
}

/* Is there a way on that both branches have? */
static bool meet(const qc_plan *plan, uint32_t one, uint32_t other)
{
    const qc_instruction *a = &plan->instructions[one], *b = &plan->instructions[other];
    uint32_t ways[2] = {end_of_jumps(plan, a->next), end_of_jumps(plan, a->target)};
    uint32_t others[2] = {end_of_jumps(plan, b->next), end_of_jumps(plan, b->target)};
    return ways[0] == others[0] || ways[0] == others[1] || ways[1] == others[0] ||
           ways[1] == others[1];
}

/* Is there a way on that a branch has, and the test that comes after it, or one that only parts of
 * the same condition lead to from there? As in `a and (b and c or d) or e`. */
static bool meet_later(const qc_plan *plan, uint32_t branch, uint32_t test)
{
    enum { MOST = 16 };
    if (plan->instructions[branch].line == plan->instructions[test].line) {
        return meet(plan, branch, test); /* as most; there is little to join */
    }
    uint32_t tests[MOST] = {test}, count = 1;
    for (uint32_t n = 0; n < count; n++) {
        const qc_instruction *one = &plan->instructions[tests[n]];
        uint32_t ways[2] = {one->next, one->target};
        if (meet(plan, branch, tests[n])) {
            return true;
        }
        for (int side = 0; side < 2 && count < MOST; side++) {
            uint32_t next = next_test(plan, ways[side]), k = 0;
            while (k < count && tests[k] != next) {
                k++;
            }
            tests[count] = next;
            count += k == count && next != QC_PROBE_NONE;
        }
    }
    return false;
}

/* Joins the lines from the branch at `branch` to the test that comes after instruction k. */
static void note_joined(const qc_plan *plan, const line_notes *lines, uint32_t branch, uint32_t k,
                        uint32_t test)
{
    int32_t from = plan->instructions[branch].line, to = from;
    for (; k != QC_PROBE_NONE; k = k != test ? way_on(plan, k) : QC_PROBE_NONE) {
        int32_t line = plan->instructions[k].line;
        from = line >= lines->lowest && line < from ? line : from;
        to = line > to ? line : to;
    }
    uint32_t first = (uint32_t)(from - lines->lowest), last = (uint32_t)(to - lines->lowest);
    lines->groups[first] = last > lines->groups[first] ? last : lines->groups[first];
}

/* The parts of a condition, as in `a or b` and `a if b else c`, may stand on lines that no location
 * spans, but they lead to the same places. (So do conditions nested in another.) */
static void note_conditions(const qc_plan *plan, const line_notes *lines)
{
    for (uint32_t n = 0; n < plan->fork_count; n++) {
        uint32_t k = plan->forks[n];
        const qc_instruction *one = &plan->instructions[k];
        if (k < plan->first || !qc_plan_is_branch(one) || one->line < lines->lowest) {
            continue;
        }
        uint32_t ways[2] = {one->next, one->target};
        uint32_t tests[2] = {next_test(plan, ways[0]), next_test(plan, ways[1])};
        bool both = tests[0] != QC_PROBE_NONE && tests[1] != QC_PROBE_NONE &&
                    meet(plan, tests[0], tests[1]);
        for (int side = 0; side < 2; side++) {
            if (tests[side] != QC_PROBE_NONE && (both || meet_later(plan, k, tests[side]))) {
                note_joined(plan, lines, k, ways[side], tests[side]);
            }
        }
    }
}

/* Makes groups of lines, and what is noted of one line of a group is of all: to coverage.py the
 * lines of a statement are one. (Not all groups are statements, some are blocks. That does no
 * harm.) */
static void join_lines(line_notes *lines)
{
    uint32_t from = 0, end;
    while ((from = next_with_code(lines, from)) < lines->count) {
        uint8_t all = 0;
        end = from;
        for (uint32_t line = from; line <= end; line = next_with_code(lines, line + 1)) {
            all |= lines->notes[line];
            end = lines->groups[line] > end ? lines->groups[line] : end;
            lines->groups[line] = from;
        }
        bool wanted = is_branch_out(all) || is_loop_out(all);
        lines->wanted |= wanted;
        for (uint32_t line = from; line <= end && wanted; line = next_with_code(lines, line + 1)) {
            lines->notes[line] = all;
        }
        from = end + 1;
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
    bool loop = is_loop_out(notes);
    bool wanted = asked->whole || plan->tells || loop || is_branch_out(notes);
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
    if (!asked.whole && !plan->tells && !lines->wanted) {
        return; /* as in most */
    }
    for (uint32_t k = plan->first; k < plan->count; k++) {
        qc_instruction *one = &plan->instructions[k];
        one->out = !one->covered && is_of_interest(plan, &asked, one);
        plan->outs |= one->out;
    }
    mark_reraises(plan, view, &asked);
}

/* Is it certain, without notes, that nothing is of interest? No line has several ways on, and there
 * is more than one group: something is reached behind that of the first line. */
static bool has_no_outs(const qc_plan *plan, const line_notes *lines)
{
    int32_t end = -1, next = INT32_MAX; /* of the first group, and where others begin */
    uint32_t k = plan->first;
    if (plan->fork_count > 0 || plan->classes || plan->tells) {
        return false;
    }
    for (; k < plan->count && end < 0; k++) {
        end = is_reached(&plan->instructions[k], lines) ? plan->instructions[k].line : -1;
    }
    for (uint32_t n = 0; n < plan->span_count; n++) {
        const qc_line_span *span = &plan->spans[n];
        if (span->from > end) {
            next = span->from < next ? span->from : next;
        } else if (span->to > end) {
            end = span->to;
        }
    }
    for (; k < plan->count && next > end; k++) { /* else the spans are not in order */
        const qc_instruction *one = &plan->instructions[k];
        if (is_reached(one, lines) && one->line > end) {
            return true;
        }
    }
    return false;
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
    if (has_no_outs(plan, &lines)) {
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
        note_reach(plan, &lines);
        note_conditions(plan, &lines);
        join_lines(&lines);
        mark_outs(plan, view, &lines);
    }
    qc_free(lines.notes, lines.count);
    qc_free(lines.groups, lines.count * sizeof(uint32_t));
    return good ? 0 : -1;
}

#endif
