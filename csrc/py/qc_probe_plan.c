#include "qc_compat.h"

#include "../core/qc_hits.h"
#include "../core/qc_mem.h"
#include "qc_flow.h"
#include "qc_probe_plan.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ decoding */

static bool falls_through(uint8_t opcode)
{
    qc_flow_kind flow = qc_opcode_flow(opcode);
    return (flow != QC_FLOW_JUMP && flow != QC_FLOW_JUMP_BACK && flow != QC_FLOW_RETURN &&
            flow != QC_FLOW_RAISE) ||
           qc_opcode_is_send(opcode);
}

/* Splits the code into instructions; targets are still units. */
static int decode(qc_plan *plan, const qc_codeview *view)
{
    uint32_t argument = 0, start = 0;
    for (uint32_t unit = 0; unit < view->units;) {
        uint8_t opcode = view->code[2 * unit];
        argument |= view->code[2 * unit + 1];
        if (qc_opcode_flow(opcode) == QC_FLOW_CACHE) {
            return 1;
        }
        if (qc_opcode_flow(opcode) == QC_FLOW_EXTEND) {
            argument <<= 8;
            unit++;
            continue;
        }
        qc_instruction *one = &plan->instructions[plan->count];
        plan->generator |= opcode == RETURN_GENERATOR;
        plan->classes |= opcode == LOAD_BUILD_CLASS;
        *one = (qc_instruction){.start = start, .unit = unit, .opcode = opcode};
        one->target = one->next = QC_PROBE_NONE;
        one->before = QC_BEFORE_NOTHING;
        one->depth = -1;
        one->end = qc_jump_target(view, unit, 0, 0);
        qc_flow_kind flow = qc_opcode_flow(opcode);
        if (flow == QC_FLOW_JUMP || flow == QC_FLOW_BRANCH) {
            one->target = one->end + argument;
        } else if (flow == QC_FLOW_JUMP_BACK || flow == QC_FLOW_BRANCH_BACK) {
            one->target = one->end - argument;
        }
        if (qc_plan_is_branch(one) || flow == QC_FLOW_ASYNC_END) {
            plan->forks[plan->fork_count++] = plan->count;
        }
        plan->index[start] = plan->count++;
        unit = start = one->end;
        argument = 0;
    }
    return start == view->units ? 0 : 1;
}

/* Makes indices of units, and finds where control can go. 1 if a jump leads to nowhere. */
static int connect(qc_plan *plan, const qc_codeview *view)
{
    for (uint32_t k = 0; k < plan->count; k++) {
        qc_instruction *one = &plan->instructions[k];
        if (one->target != QC_PROBE_NONE) {
            if (one->target >= view->units || plan->index[one->target] == QC_PROBE_NONE) {
                return 1;
            }
            one->target = plan->index[one->target];
            plan->instructions[one->target].comers++;
        }
        if (falls_through(one->opcode) && k + 1 < plan->count) {
            one->next = k + 1;
            plan->instructions[k + 1].comers++;
        }
    }
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    while ((at = qc_exception_next(view, at, &entry)) != NULL) {
        if (entry.target >= view->units || plan->index[entry.target] == QC_PROBE_NONE) {
            return 1;
        }
        qc_instruction *handler = &plan->instructions[plan->index[entry.target]];
        handler->comers++;
        handler->handler = true;
        handler->depth = (int32_t)((entry.depth >> 1) + (entry.depth & 1) + 1);
        if (qc_is_wrapper(view, entry.target)) {
            plan->wrapper = entry.target;
            continue; /* it catches nothing for good */
        }
        for (uint32_t unit = entry.start; unit - entry.start < entry.length; unit++) {
            if (unit < view->units && plan->index[unit] != QC_PROBE_NONE) {
                plan->instructions[plan->index[unit]].covered = true;
            }
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ lines */

/* Notes that a location goes on to another line; those of one expression come one after the other.
 * 0, or -1 when memory ran out. */
static int add_span(qc_plan *plan, int32_t from, int32_t to)
{
    if (plan->span_count > 0) {
        const qc_line_span *last = &plan->spans[plan->span_count - 1];
        if (last->from == from && last->to == to) {
            return 0;
        }
    }
    if (plan->span_count == plan->span_capacity) {
        uint32_t capacity = plan->span_capacity ? plan->span_capacity * 2 : 16;
        qc_line_span *spans =
            qc_realloc(plan->spans, plan->span_capacity * sizeof *spans, capacity * sizeof *spans);
        if (spans == NULL) {
            return -1;
        }
        plan->spans = spans;
        plan->span_capacity = capacity;
    }
    plan->spans[plan->span_count++] = (qc_line_span){from, to};
    return 0;
}

/* Sets the line of each instruction, and what the plan knows of all lines. */
static int fill_lines(qc_plan *plan, const qc_codeview *view)
{
    qc_line_cursor cursor;
    qc_line_cursor_init(&cursor, view);
    uint32_t k = 0;
    int result = 0;
    while (result == 0 && k < plan->count && qc_line_cursor_next(&cursor)) {
        int32_t line = cursor.line;
        if (line > 0) {
            plan->lowest = line < plan->lowest || plan->lowest == 0 ? line : plan->lowest;
            plan->highest = line > plan->highest ? line : plan->highest;
        }
        if (cursor.last != line && line > 0) {
            result = add_span(plan, line, cursor.last);
        }
        for (; k < plan->count && plan->instructions[k].unit < cursor.start + cursor.units; k++) {
            plan->instructions[k].line = line;
        }
    }
    for (; k < plan->count; k++) {
        plan->instructions[k].line = -1;
    }
    return result;
}

static bool bears_line(const qc_instruction *one)
{
    return one->line >= 0 && !qc_opcode_is_silent(one->opcode);
}

/* Lets `line` come before an instruction. Is that news? */
static bool meet(qc_instruction *one, int32_t line)
{
    int32_t before =
        one->before == QC_BEFORE_NOTHING || one->before == line ? line : QC_BEFORE_MANY;
    bool news = before != one->before;
    one->before = before;
    return news;
}

/* What comes to handlers comes from many lines. */
static void meet_handlers(qc_plan *plan, const qc_codeview *view)
{
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    while ((at = qc_exception_next(view, at, &entry)) != NULL) {
        qc_instruction *one = &plan->instructions[plan->index[entry.target]];
        int opcode = one->opcode; /* so that it can be compared with -1 */
        /* Only what its own await waits for comes to this. */
        one->before = opcode == QC_OP_CLEANUP_THROW ? one->line : QC_BEFORE_MANY;
    }
}

/* Finds for each instruction that can be reached which line comes before it. */
static void flow_lines(qc_plan *plan, const qc_codeview *view)
{
    bool news = true;
    meet_handlers(plan, view);
    if (plan->first < plan->count) {
        (void)meet(&plan->instructions[plan->first], QC_BEFORE_START);
    }
    while (news) {
        news = false;
        for (uint32_t k = plan->first; k < plan->count; k++) {
            const qc_instruction *one = &plan->instructions[k];
            int32_t line = bears_line(one) ? one->line : one->before;
            if (line == QC_BEFORE_NOTHING) {
                continue;
            }
            if (one->next != QC_PROBE_NONE) {
                (void)meet(&plan->instructions[one->next], line);
            }
            if (one->target != QC_PROBE_NONE) {
                /* Only a jump back can be news for the next round; others come later in this. */
                bool change = meet(&plan->instructions[one->target], line);
                news |= change && one->target <= k;
            }
        }
    }
}

/* Does a line begin here? Of what can be reached. */
static bool is_entry(const qc_instruction *one)
{
    return bears_line(one) && one->before != one->line;
}

/* ------------------------------------------------------------------ the stack */

static uint32_t argument_of(const qc_codeview *view, const qc_instruction *one)
{
    uint32_t argument = 0;
    for (uint32_t unit = one->start; unit <= one->unit; unit++) {
        argument = argument << 8 | view->code[2 * unit + 1];
    }
    return argument;
}

/* The depth after an instruction, if it jumps or goes on. */
static int32_t depth_after(const qc_codeview *view, const qc_instruction *one, bool jumps)
{
    int argument = one->opcode >= HAVE_ARGUMENT ? (int)argument_of(view, one) : 0;
    int effect = PyCompile_OpcodeStackEffectWithJump(one->opcode, argument, jumps);
    return effect == PY_INVALID_STACK_EFFECT ? INT16_MAX : one->depth + effect;
}

/* Finds how deep the stack is before each instruction that can be reached. */
static void flow_depths(qc_plan *plan, const qc_codeview *view)
{
    bool news = plan->first < plan->count;
    if (news) {
        plan->instructions[plan->first].depth = 0;
    }
    while (news) {
        news = false;
        for (uint32_t k = plan->first; k < plan->count; k++) {
            const qc_instruction *one = &plan->instructions[k];
            if (one->depth < 0) {
                continue;
            }
            if (one->next != QC_PROBE_NONE && plan->instructions[one->next].depth < 0) {
                plan->instructions[one->next].depth = depth_after(view, one, false);
            }
            if (one->target != QC_PROBE_NONE && plan->instructions[one->target].depth < 0) {
                plan->instructions[one->target].depth = depth_after(view, one, true);
                news |= one->target <= k;
            }
        }
    }
}

/* A trampoline pushes the hook onto what is there where it goes on. */
static void count_slots(qc_plan *plan)
{
    for (uint32_t k = 0; k < plan->probe_count; k++) {
        qc_planned *probe = &plan->probes[k];
        const qc_instruction *one = &plan->instructions[probe->where];
        int32_t depth =
            probe->kind == QC_PROBE_JUMP ? plan->instructions[one->target].depth : one->depth;
        depth = depth < 0 ? INT16_MAX : depth;
        /* It pushes first what it displaces. */
        depth += probe->kind == QC_PROBE_CATCH && one->opcode == PUSH_EXC_INFO;
        depth = probe->kind == QC_PROBE_OUT ? 2 : depth;
        probe->slots = depth + 1;
    }
}

/* ------------------------------------------------------------------ sides of branches */

qc_side_end qc_plan_follow(const qc_plan *plan, const qc_codeview *view, int32_t line,
                           uint32_t index)
{
    for (uint32_t steps = 0; index != QC_PROBE_NONE && steps <= plan->count; steps++) {
        const qc_instruction *one = &plan->instructions[index];
        if (bears_line(one) && one->line != line) {
            return (qc_side_end){QC_END_ENTRY, index};
        }
        if (qc_plan_is_branch(one)) {
            /* It has hits of its own; without a line, it is a part of the way on. */
            return (qc_side_end){one->line < 0 ? QC_END_OUT : QC_END_NOTHING, 0};
        }
        switch (qc_opcode_flow(one->opcode)) {
        case QC_FLOW_RETURN:
            return (qc_side_end){QC_END_OUT, 0};
        case QC_FLOW_RAISE: {
            int64_t handler = qc_handler_of(view, one->unit);
            if (handler < 0) {
                return (qc_side_end){QC_END_OUT, 0};
            }
            index = plan->index[handler];
            break;
        }
        default:
            index = one->target != QC_PROBE_NONE ? one->target : one->next;
        }
    }
    return (qc_side_end){QC_END_NOTHING, 0};
}

/* ------------------------------------------------------------------ probes */

/* A new probe; NULL when memory ran out. */
static qc_planned *add_probe(qc_plan *plan, qc_probe_kind kind, uint32_t where)
{
    if (plan->probe_count == plan->probe_capacity) {
        uint32_t capacity = plan->probe_capacity ? plan->probe_capacity * 2 : 32;
        qc_planned *probes = qc_realloc(plan->probes, plan->probe_capacity * sizeof(qc_planned),
                                        capacity * sizeof(qc_planned));
        if (probes == NULL) {
            return NULL;
        }
        plan->probes = probes;
        plan->probe_capacity = capacity;
    }
    qc_planned *probe = &plan->probes[plan->probe_count++];
    *probe = (qc_planned){.kind = kind, .where = where, .own = where, .side_of = QC_PROBE_NONE};
    return probe;
}

/* ------------------------------------------------------------------ exceptions */

static void take_marks(qc_plan *plan, const uint8_t *marks)
{
    for (uint32_t k = 0; k < plan->count; k++) {
        qc_instruction *one = &plan->instructions[k];
        for (uint32_t unit = one->start; unit < one->end; unit++) {
            one->marks |= marks[unit] & QC_MARKS;
        }
    }
}

static int find_marks(qc_plan *plan, const qc_codeview *view)
{
    qc_hits marks = {.bytes = qc_calloc(view->units, 1), .units = view->units};
    int result = marks.bytes != NULL ? qc_flow_mark(view, &marks) : -1;
    if (result > 0) {
        take_marks(plan, marks.bytes);
    }
    qc_hits_free(&marks);
    return result < 0 ? -1 : 0;
}

/* The instruction where the line of a handler begins that begins with instruction k; QC_PROBE_NONE
 * if it has no line. */
static uint32_t line_of_handler(const qc_plan *plan, uint32_t k)
{
    while (k < plan->count && plan->instructions[k].line < 0 &&
           qc_opcode_flow(plan->instructions[k].opcode) == QC_FLOW_NEXT) {
        k++;
    }
    bool found = k < plan->count && plan->instructions[k].marks & QC_MARK_HANDLER;
    return found ? k : QC_PROBE_NONE;
}

/* The sides that are seen by probes of places; one probe tells of one side. */
typedef struct side_table {
    uint32_t *of;   /* instruction → the branch, or QC_PROBE_NONE */
    uint8_t *flags; /* instruction → the side of that branch */
    uint8_t *jumps; /* instruction → 1: its jump needs a probe */
} side_table;

/* Plans for one side of the branch at `index`. */
static void plan_side(qc_plan *plan, const qc_codeview *view, side_table *sides, uint32_t index,
                      unsigned side)
{
    const qc_instruction *branch = &plan->instructions[index];
    uint32_t to = side == QC_HIT_LEFT ? branch->next : branch->target;
    qc_side_end end = qc_plan_follow(plan, view, branch->line, to);
    if (end.kind == QC_END_NOTHING || to == QC_PROBE_NONE) {
        return;
    }
    uint32_t at = to;
    if (end.kind == QC_END_ENTRY && plan->instructions[end.entry].before == branch->line) {
        at = end.entry; /* whoever comes there comes from this line */
    } else if (side == QC_HIT_RIGHT) {
        sides->jumps[index] = 1;
        return;
    } else if (plan->instructions[to].comers > 1) {
        plan->instructions[to].pad = plan->pads = true;
    }
    if (sides->of[at] == QC_PROBE_NONE || plan->instructions[to].pad) {
        sides->of[at] = index;
        sides->flags[at] = (uint8_t)side;
    }
}

static void plan_sides(qc_plan *plan, const qc_codeview *view, side_table *sides)
{
    for (uint32_t n = 0; n < plan->fork_count; n++) {
        uint32_t k = plan->forks[n];
        const qc_instruction *one = &plan->instructions[k];
        if (k < plan->first || one->before == QC_BEFORE_NOTHING) {
            continue;
        }
        plan_side(plan, view, sides, k, QC_HIT_LEFT);
        if (qc_plan_is_branch(one)) {
            plan_side(plan, view, sides, k, QC_HIT_RIGHT);
        }
    }
}

/* Does it load a constant that the next instruction returns? Nothing can come between, and a frame
 * that has but one slot on its stack has room for a probe before the constant. */
static inline bool returns_constant(const qc_plan *plan, uint32_t k)
{
    const qc_instruction *one = &plan->instructions[k];
    return one->opcode == LOAD_CONST && one->next != QC_PROBE_NONE &&
           qc_opcode_flow(plan->instructions[one->next].opcode) == QC_FLOW_RETURN &&
           plan->instructions[one->next].comers == 1 && !plan->instructions[one->next].pad;
}

/* The flags for contexts of the instruction k, which has these others, in a plan that has any. */
static unsigned context_flags(const qc_plan *plan, uint32_t k, unsigned flags)
{
    const qc_instruction *one = &plan->instructions[k];
    bool resumes = k > 0 && qc_opcode_is_resume(one[-1].opcode);
    bool goes_on =
        resumes && plan->generator && k > 1 && one[-2].opcode == YIELD_VALUE && one->comers == 1;
    unsigned found = goes_on ? QC_PROBE_RESUMED : 0;
    if (plan->tells) {
        /* A suspended frame goes on in a handler, too: where an exception is thrown into it. */
        found |= resumes || one->handler ? QC_TELLS_BEGIN : 0u;
        found |= flags & QC_HIT_RETURN || one->opcode == YIELD_VALUE ? QC_TELLS_END : 0u;
    }
    return found;
}

/* The instruction where the line begins of a handler that begins with instruction k, if it is to be
 * asked where exceptions come from; else QC_PROBE_NONE. */
static uint32_t line_to_catch(const qc_plan *plan, uint32_t k)
{
    const qc_instruction *one = &plan->instructions[k];
    bool catches = one->opcode == PUSH_EXC_INFO || (one->opcode == COPY && one->line >= 0);
    return one->handler && catches ? line_of_handler(plan, k) : QC_PROBE_NONE;
}

/* Adds the probes that one instruction needs. 0; -1 when memory ran out; 1: it can't have them. */
static int place_probes(qc_plan *plan, const side_table *sides, uint32_t k)
{
    const qc_instruction *one = &plan->instructions[k];
    if (one->before == QC_BEFORE_NOTHING) {
        return 0; /* never reached */
    }
    unsigned flags = is_entry(one) ? QC_HIT_LINE : 0;
    qc_planned *probe;
    uint32_t own = k;
    if (returns_constant(plan, k)) {
        flags |= QC_HIT_RETURN;
        own = k + 1;
    }
    if (qc_opcode_flow(one->opcode) == QC_FLOW_RETURN &&
        !(k > 0 && returns_constant(plan, k - 1))) {
        flags |= QC_HIT_RETURN;
    }
    if (one->marks & QC_MARK_PROOF) {
        flags |= QC_HIT_PASSED;
    }
    if (plan->contexts) {
        flags |= context_flags(plan, k, flags);
    }
    bool side = sides->of[k] != QC_PROBE_NONE;
    if (one->pad) {
        if ((probe = add_probe(plan, QC_PROBE_PAD, k)) == NULL) {
            return -1;
        }
        probe->side_of = sides->of[k];
        probe->side = sides->flags[k];
        side = false;
    }
    uint32_t begin = line_to_catch(plan, k);
    if (side && begin != QC_PROBE_NONE) {
        return 1; /* no branch leads to a handler; a probe couldn't tell of both */
    }
    if (flags || side || begin != QC_PROBE_NONE) {
        qc_probe_kind kind = begin != QC_PROBE_NONE ? QC_PROBE_CATCH : QC_PROBE_AT;
        if ((probe = add_probe(plan, kind, k)) == NULL) {
            return -1;
        }
        probe->flags = flags;
        probe->own = own;
        probe->begin = begin;
        probe->side_of = side ? sides->of[k] : QC_PROBE_NONE;
        probe->side = side ? sides->flags[k] : 0;
    }
    if (sides->jumps[k]) {
        if ((probe = add_probe(plan, QC_PROBE_JUMP, k)) == NULL) {
            return -1;
        }
        probe->side_of = k;
        probe->side = QC_HIT_RIGHT;
    }
    return 0;
}

static int plan_probes(qc_plan *plan, const qc_codeview *view)
{
    uint32_t n = plan->count;
    side_table sides = {0};
    int result = -1;
    sides.of = qc_malloc(n * sizeof(uint32_t));
    sides.flags = qc_calloc(n, 1);
    sides.jumps = qc_calloc(n, 1);
    if (sides.of == NULL || sides.flags == NULL || sides.jumps == NULL) {
        goto done;
    }
    memset(sides.of, 0xFF, n * sizeof(uint32_t));
    plan_sides(plan, view, &sides);
    result = 0;
    for (uint32_t k = plan->first; k < n && result == 0; k++) {
        result = place_probes(plan, &sides, k);
    }
    if (result == 0 && plan->outs) {
        qc_planned *out = add_probe(plan, QC_PROBE_OUT, n - 1);
        result = out != NULL ? 0 : -1;
        if (out != NULL && plan->tells) {
            out->flags = QC_TELLS_END;
        }
    }
done:
    qc_free(sides.of, n * sizeof(uint32_t));
    qc_free(sides.flags, n);
    qc_free(sides.jumps, n);
    return result;
}

/* ------------------------------------------------------------------ the whole */

/* Nothing up to the first RESUME is code of the program. */
static uint32_t first_index(const qc_plan *plan)
{
    for (uint32_t k = 0; k < plan->count; k++) {
        if (qc_opcode_is_resume(plan->instructions[k].opcode)) {
            return k + 1;
        }
    }
    return plan->count;
}

int qc_plan_make(qc_plan *plan, const qc_codeview *view, bool tells, bool marked,
                 const uint8_t *marks)
{
    memset(plan, 0, sizeof *plan);
    plan->tells = tells;
    plan->units = view->units;
    plan->wrapper = QC_PROBE_NONE;
    plan->instructions = qc_malloc(view->units * sizeof(qc_instruction));
    plan->index = qc_malloc(2 * (size_t)view->units * sizeof(uint32_t));
    int result = -1;
    if (plan->instructions != NULL && plan->index != NULL) {
        memset(plan->index, 0xFF, view->units * sizeof(uint32_t));
        plan->forks = plan->index + view->units;
        result = decode(plan, view);
        result = result == 0 ? connect(plan, view) : result;
        result = result == 0 ? fill_lines(plan, view) : result;
    }
    if (result == 0) {
        plan->first = first_index(plan);
        plan->contexts = plan->tells || plan->generator;
        flow_lines(plan, view);
        if (!marked) {
            result = find_marks(plan, view);
        } else if (marks != NULL) {
            take_marks(plan, marks);
        }
    }
    if (result == 0) {
        result = qc_plan_find_outs(plan, view);
    }
    if (result == 0) {
        result = plan_probes(plan, view);
    }
    if (result == 0 && plan->generator) {
        flow_depths(plan, view); /* other frames have room for any trampoline */
        count_slots(plan);
    }
    if (result != 0) {
        qc_plan_free(plan);
    }
    return result;
}

void qc_plan_free(qc_plan *plan)
{
    qc_free(plan->instructions, plan->units * sizeof(qc_instruction));
    qc_free(plan->index, 2 * (size_t)plan->units * sizeof(uint32_t));
    qc_free(plan->probes, plan->probe_capacity * sizeof(qc_planned));
    qc_free(plan->spans, plan->span_capacity * sizeof(qc_line_span));
    memset(plan, 0, sizeof *plan);
}

#endif
