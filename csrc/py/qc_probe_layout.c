#include "qc_compat_probe.h"

#include "../core/qc_hits.h"
#include "../core/qc_mem.h"
#include "qc_probe_layout.h"
#include "qc_probe_room.h"
#include "qc_probe_tables.h"

#if QC_HAVE_PROBES

enum {
    REACH = 250,       /* from a probe to the end of its trampoline, to be safe */
    LIKE_ISLAND = 100, /* from here on an island is welcome where control never comes by */
    WANT_ISLAND = 170, /* from here on an island is made where it costs a jump, too */
};

/* The work on one layout. */
typedef struct builder {
    const qc_plan *plan;
    const qc_codeview *view;
    qc_layout *out;
    uint32_t hook;
    uint8_t *prefixes; /* instruction → EXTENDED_ARGs */
    uint32_t *start;   /* instruction → its first unit now, without pad; [count]: the end */
    uint8_t *island;   /* instruction → 0, 1: an island stands before it, 2: with a jump over it */
    uint32_t *origin;  /* unit now → unit of the original, UINT32_MAX: none */
    uint32_t placed;   /* probes that have their trampoline */
    bool islands;      /* there are others than the one at the end */
} builder;

static uint32_t size_of(const builder *b, uint32_t k)
{
    const qc_instruction *one = &b->plan->instructions[k];
    return b->prefixes[k] + (one->end - one->unit);
}

/* The units of the code that stand in the trampoline as well: `*from` is the first. */
static uint32_t own_units(const builder *b, const qc_planned *probe, uint32_t *from)
{
    const qc_instruction *one = &b->plan->instructions[probe->where];
    switch (probe->kind) {
    case QC_PROBE_CATCH:
        *from = one->unit; /* which it displaces for good */
        return 1;
    case QC_PROBE_JUMP:
        *from = b->plan->instructions[one->target].start;
        return qc_opcode_exit_units(one->opcode);
    case QC_PROBE_OUT:
        *from = b->plan->wrapper;
        return b->plan->wrapper != QC_PROBE_NONE;
    default:
        *from = 0;
        return 0;
    }
}

bool qc_probe_hides_jump(unsigned flags)
{
    return QC_CODE_IS_BORN_WARM && flags & QC_PROBE_RESUMED && !(flags & QC_HIT_LINE);
}

static uint32_t trampoline_size(const builder *b, const qc_planned *probe)
{
    uint32_t from, own = own_units(b, probe, &from);
    uint32_t back = qc_probe_hides_jump(probe->flags) ? QC_WAY_BACK_UNITS
                    : probe->kind == QC_PROBE_JUMP    ? QC_FAR_UNITS
                                                      : 1;
    return own + qc_prefixes_for(b->hook) + 1u + QC_TRAMPOLINE_TEST_UNITS + back;
}

/* ------------------------------------------------------------------ places */

/* Where an island may be forced between the instruction and the one before it. */
static bool may_part(const builder *b, uint32_t k)
{
    const qc_plan *plan = b->plan;
    return k > plan->first && !plan->instructions[k].pad &&
           !qc_opcode_is_glued(plan->instructions[k - 1].opcode) &&
           !qc_opcode_is_resume(plan->instructions[k - 1].opcode) &&
           !qc_opcode_is_resume(plan->instructions[k].opcode);
}

/* The probes that wait for an island. */
typedef struct waiting {
    uint32_t source; /* where the first stands */
    uint32_t units;  /* of their trampolines */
    uint32_t next;   /* the next probe of the plan */
} waiting;

/* Notes the probes on instruction k, which stands at `at`. */
static void wait_for(const builder *b, waiting *w, uint32_t k, uint32_t at)
{
    const qc_plan *plan = b->plan;
    for (; w->next < plan->probe_count && plan->probes[w->next].where == k; w->next++) {
        const qc_planned *probe = &plan->probes[w->next];
        if (probe->kind == QC_PROBE_OUT) {
            continue; /* it stands at the end, whatever the distance */
        }
        if (w->units == 0) {
            w->source = at - (probe->kind == QC_PROBE_PAD);
        }
        w->units += trampoline_size(b, probe);
    }
}

/* Does one island at the end reach all probes? */
static bool end_reaches(const builder *b)
{
    uint32_t at = b->start[b->plan->count];
    for (uint32_t k = 0; k < b->plan->probe_count; k++) {
        const qc_planned *probe = &b->plan->probes[k];
        at += trampoline_size(b, probe);
        if (probe->kind != QC_PROBE_OUT && at - b->start[probe->where] > REACH) {
            return false;
        }
    }
    return true;
}

/* Leaves everything where it is, with one island at the end. False if that doesn't reach all
 * probes. */
static bool place_unmoved(builder *b)
{
    const qc_plan *plan = b->plan;
    uint32_t at = b->view->units;
    for (uint32_t k = 0; k < plan->probe_count; k++) {
        const qc_planned *probe = &plan->probes[k];
        at += trampoline_size(b, probe);
        if (probe->kind != QC_PROBE_OUT && at - plan->instructions[probe->where].start > REACH) {
            return false;
        }
    }
    b->out->clean_units = b->view->units;
    b->out->units = at;
    return true;
}

/* One round of placing: sets start[] and island[]. 0, or 1 when a probe can't be reached. */
static int place(builder *b)
{
    const qc_plan *plan = b->plan;
    uint32_t at = 0;
    waiting w = {0, 0, 0};
    for (uint32_t k = 0; k < plan->count; k++) {
        uint32_t far = at + w.units + 1 - w.source;
        b->island[k] = 0;
        if (b->islands && w.units > 0 && far > LIKE_ISLAND && k > plan->first &&
            plan->instructions[k - 1].next == QC_PROBE_NONE) {
            b->island[k] = 1;
        } else if (b->islands && w.units > 0 && far > WANT_ISLAND && may_part(b, k)) {
            b->island[k] = 2;
        }
        if (b->island[k]) {
            at += w.units + (b->island[k] == 2);
            w.units = 0;
        }
        at += plan->instructions[k].pad;
        b->start[k] = at;
        wait_for(b, &w, k, at);
        at += size_of(b, k);
        if (b->islands && w.units > 0 && at + w.units + 1 - w.source > REACH) {
            return 1;
        }
    }
    b->start[plan->count] = at;
    b->out->clean_units = at;
    b->out->units = at + w.units;
    if (plan->outs) {
        b->out->units += trampoline_size(b, &plan->probes[plan->probe_count - 1]);
    }
    return b->islands || end_reaches(b) ? 0 : 1;
}

/* The argument of a jump; true if it goes back. */
static bool jump_argument(const builder *b, uint32_t k, uint32_t *argument)
{
    const qc_instruction *one = &b->plan->instructions[k];
    uint32_t from = b->start[k] + size_of(b, k), to = b->start[one->target];
    *argument = to >= from ? to - from : from - to;
    return to < from;
}

/* Places everything, until all jumps have the prefixes that they need. */
static int place_all(builder *b)
{
    bool grown = true;
    if (!b->islands && !b->plan->pads) {
        return place_unmoved(b) ? 0 : 1;
    }
    while (grown) {
        int result = place(b);
        if (result != 0) {
            return result;
        }
        grown = false;
        for (uint32_t k = 0; k < b->plan->count; k++) {
            uint32_t argument;
            if (b->plan->instructions[k].target == QC_PROBE_NONE) {
                continue;
            }
            (void)jump_argument(b, k, &argument);
            if (qc_prefixes_for(argument) > b->prefixes[k]) {
                b->prefixes[k] = qc_prefixes_for(argument);
                grown = true;
            }
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ writing */

static void write_unit(const builder *b, uint32_t at, uint8_t opcode, uint8_t argument)
{
    b->out->code[2 * at] = opcode;
    b->out->code[2 * at + 1] = argument;
}

/* Its caches are zeros, as all is that is not written. */
static void write_instruction(const builder *b, uint32_t k)
{
    const qc_instruction *one = &b->plan->instructions[k];
    const uint8_t *code = b->view->code;
    uint32_t argument = 0, at = b->start[k];
    if (one->target != QC_PROBE_NONE) {
        (void)jump_argument(b, k, &argument);
    } else {
        for (uint32_t unit = one->start; unit <= one->unit; unit++) {
            argument = argument << 8 | code[2 * unit + 1];
        }
    }
    (void)qc_write_prefixed(b->out->code, at, b->prefixes[k], one->opcode, argument);
    for (uint32_t unit = b->start[k]; unit < b->start[k] + size_of(b, k); unit++) {
        b->origin[unit] = one->unit;
    }
}

static uint32_t copy_units(const builder *b, uint32_t at, uint32_t from, uint32_t count)
{
    for (uint32_t unit = from; unit < from + count; unit++, at++) {
        write_unit(b, at, b->view->code[2 * (size_t)unit], b->view->code[2 * (size_t)unit + 1]);
    }
    return at;
}

/* Writes one trampoline at `at`, and the probe; gives the unit after. */
static uint32_t write_trampoline(builder *b, uint32_t at)
{
    const qc_planned *planned = &b->plan->probes[b->placed];
    qc_probe *probe = &b->out->probes[b->placed++];
    uint32_t k = planned->where, source = b->start[k];
    *probe = (qc_probe){
        .trampoline = at, .kind = (uint8_t)planned->kind, .flags = (uint8_t)planned->flags};
    bool jump = planned->kind == QC_PROBE_JUMP;
    probe->line_unit = b->plan->instructions[k].start;
    probe->own = (uint8_t)(b->plan->instructions[planned->own].unit - probe->line_unit);
    probe->slots = (int16_t)(planned->slots < INT16_MAX ? planned->slots : INT16_MAX);
    probe->prefixes = planned->kind == QC_PROBE_PAD ? 0 : b->prefixes[k];
    probe->patch = source - (planned->kind == QC_PROBE_PAD);
    if (planned->side_of != QC_PROBE_NONE) {
        probe->side = (uint8_t)planned->side;
        probe->other_unit = b->plan->instructions[planned->side_of].unit;
    }
    probe->opcode = JUMP_FORWARD;
    probe->argument = (uint8_t)(at - probe->patch - 1);
    uint32_t to = probe->patch, from, own = own_units(b, planned, &from);
    if (jump) {
        const qc_instruction *branch = &b->plan->instructions[k];
        probe->opcode = qc_opcode_branch_forward(branch->opcode);
        probe->argument = (uint8_t)(at - source - size_of(b, k));
        to = b->start[branch->target];
    }
    if (planned->kind == QC_PROBE_CATCH) {
        probe->other_unit = b->plan->instructions[planned->begin].start;
    }
    /* PUSH_EXC_INFO has the exception be the one that is handled; COPY finds it on the stack. */
    bool asks_first = planned->kind == QC_PROBE_OUT ||
                      (planned->kind == QC_PROBE_CATCH && b->view->code[2 * (size_t)from] == COPY);
    to += planned->kind != QC_PROBE_OUT ? own : 0;
    at = asks_first ? at : copy_units(b, at, from, own);
    probe->target = to;
    at = qc_write_prefixed(b->out->code, at, qc_prefixes_for(b->hook), LOAD_CONST, b->hook);
    qc_trampoline_test(b->out->code + 2 * (size_t)at);
    at += QC_TRAMPOLINE_TEST_UNITS;
    at = asks_first ? copy_units(b, at, from, own) : at;
    if (planned->kind == QC_PROBE_OUT) {
        return qc_write_prefixed(b->out->code, at, 0, RERAISE, 1);
    }
    if (qc_probe_hides_jump(planned->flags)) {
        return qc_room_write_way_back(b->out->code, at, to);
    }
    uint32_t end = at + (jump ? QC_FAR_UNITS : 1);
    return qc_write_prefixed(b->out->code, at, jump ? QC_FAR_UNITS - 1 : 0,
                             to < end ? JUMP_BACKWARD_NO_INTERRUPT : JUMP_FORWARD,
                             to < end ? end - to : to - end);
}

/* Writes the trampolines of all probes on instructions before `limit`. */
static uint32_t write_island(builder *b, uint32_t at, uint32_t limit)
{
    while (b->placed < b->plan->probe_count && b->plan->probes[b->placed].where < limit) {
        at = write_trampoline(b, at);
    }
    return at;
}

static void write_code(builder *b)
{
    const qc_plan *plan = b->plan;
    qc_layout *out = b->out;
    uint32_t at = 0;
    if (!out->moved) {
        (void)write_island(b, out->clean_units, plan->count);
        return;
    }
    memset(b->origin, 0xFF, out->units * sizeof(uint32_t));
    for (uint32_t k = 0; k < plan->count; k++) {
        const qc_instruction *one = &plan->instructions[k];
        uint32_t begin = b->start[k] - one->pad;
        if (b->island[k]) {
            if (b->island[k] == 2) {
                write_unit(b, at, JUMP_FORWARD, (uint8_t)(begin - at - 1));
                b->origin[at] = plan->instructions[k - 1].unit;
                at++;
            }
            (void)write_island(b, at, k);
        }
        if (one->pad) {
            write_unit(b, begin, NOP, 0);
            b->origin[begin] = plan->instructions[k - 1].unit;
        }
        write_instruction(b, k);
        at = b->start[k] + size_of(b, k);
    }
    (void)write_island(b, at, plan->count);
    memcpy(out->clean, out->code, 2 * (size_t)out->units);
    for (uint32_t unit = 0; unit < out->units; unit++) {
        if (b->origin[unit] == UINT32_MAX) {
            out->clean[2 * unit] = NOP;
            out->clean[2 * unit + 1] = 0;
        }
    }
}

/* Where each unit of the original stands. */
static int write_places(builder *b)
{
    qc_layout *out = b->out;
    uint32_t units = b->view->units;
    out->place_count = units + 1;
    out->places = qc_malloc(out->place_count * sizeof(uint32_t));
    if (out->places == NULL) {
        return -1;
    }
    for (uint32_t unit = 0, place = 0; unit <= units; unit++) {
        if (unit == units) {
            place = out->clean_units;
        } else if (b->plan->index[unit] != QC_PROBE_NONE) {
            place = b->start[b->plan->index[unit]];
        }
        out->places[unit] = place;
    }
    return 0;
}

/* Is what the next instruction raises led as if this one had? For exceptions that come out of a
 * function that it calls, CPython 3.13 looks at the unit before it. */
static bool leads_next(const qc_instruction *one)
{
    return (one + 1)->out && !one->covered && qc_opcode_is_harmless(one->opcode);
}

/* The exception table that leads what leaves the code past the last probe. */
static int write_outs(builder *b)
{
    const qc_plan *plan = b->plan;
    uint32_t units = b->view->units;
    uint8_t *wanted = qc_calloc(units, 1);
    if (wanted == NULL) {
        return -1;
    }
    for (uint32_t k = plan->first; k < plan->count; k++) {
        const qc_instruction *one = &plan->instructions[k];
        bool out = one->out || (k + 1 < plan->count && leads_next(one));
        memset(wanted + one->start, out, one->end - one->start);
    }
    uint32_t target = b->out->probes[plan->probe_count - 1].trampoline;
    int result =
        qc_exceptions_write(&b->out->outs, b->view, b->out->places, wanted, target, plan->wrapper);
    qc_free(wanted, units);
    return result;
}

static int write_tables(builder *b)
{
    qc_layout *out = b->out;
    if (out->moved &&
        (write_places(b) < 0 ||
         qc_linetable_write(&out->linetable, b->view, b->origin, out->clean_units) < 0 ||
         qc_exceptions_write(&out->exceptions, b->view, out->places, NULL, 0, QC_PROBE_NONE) < 0)) {
        return -1;
    }
    return b->plan->outs ? write_outs(b) : 0;
}

/* ------------------------------------------------------------------ the whole */

static int builder_init(builder *b, qc_layout *layout, const qc_plan *plan, const qc_codeview *view,
                        uint32_t hook)
{
    *b = (builder){.plan = plan, .view = view, .out = layout, .hook = hook};
    b->prefixes = qc_malloc(plan->count);
    b->start = qc_malloc((plan->count + 1) * sizeof(uint32_t));
    b->island = qc_calloc(plan->count, 1);
    if (b->prefixes == NULL || b->start == NULL || b->island == NULL) {
        return -1;
    }
    for (uint32_t k = 0; k < plan->count; k++) {
        b->start[k] = plan->instructions[k].start;
        b->prefixes[k] = (uint8_t)(plan->instructions[k].unit - plan->instructions[k].start);
    }
    b->start[plan->count] = view->units;
    return 0;
}

static void builder_free(builder *b)
{
    qc_free(b->prefixes, b->plan->count);
    qc_free(b->start, (b->plan->count + 1) * sizeof(uint32_t));
    qc_free(b->island, b->plan->count);
    qc_free(b->origin, b->out->units * sizeof(uint32_t));
}

static int allocate(builder *b)
{
    qc_layout *out = b->out;
    bool good = true;
    out->bytes = 2 * (size_t)out->units;
    out->code = qc_calloc(out->bytes, 1);
    out->probe_count = b->plan->probe_count;
    out->probes = qc_calloc(out->probe_count, sizeof(qc_probe));
    if (out->moved) {
        b->origin = qc_malloc(out->units * sizeof(uint32_t));
        out->clean = qc_malloc(out->bytes);
        good = b->origin != NULL && out->clean != NULL;
    }
    return good && out->code != NULL && out->probes != NULL ? 0 : -1;
}

int qc_layout_make(qc_layout *layout, const qc_plan *plan, const qc_codeview *view, uint32_t hook)
{
    builder b;
    memset(layout, 0, sizeof *layout);

    if (hook >= 1u << 24 || view->units >= 1u << 22) {
        return 1;
    }
    int result = builder_init(&b, layout, plan, view, hook);
    if (result == 0 && (result = place_all(&b)) > 0) {
        b.islands = true;
        result = place_all(&b);
    }
    if (result == 0) {
        layout->moved = layout->clean_units != view->units;
        result = allocate(&b);
    }
    if (result == 0) {
        write_code(&b);
        result = write_tables(&b);
    }
    builder_free(&b);
    if (result != 0) {
        qc_layout_free(layout);
    }
    return result;
}

void qc_layout_free(qc_layout *layout)
{
    qc_free(layout->code, layout->bytes);
    qc_free(layout->clean, layout->bytes);
    qc_bytes_free(&layout->linetable);
    qc_bytes_free(&layout->exceptions);
    qc_bytes_free(&layout->outs);
    qc_free(layout->places, layout->place_count * sizeof(uint32_t));
    qc_free(layout->probes, layout->probe_count * sizeof(qc_probe));
    memset(layout, 0, sizeof *layout);
}

/* ------------------------------------------------------------------ models */

static int copy_layout(qc_layout *copy, const qc_layout *layout)
{
    size_t probes = layout->probe_count * sizeof(qc_probe);
    *copy = *layout;
    copy->outs = (qc_bytes){0};
    copy->code = qc_malloc(layout->bytes);
    copy->probes = qc_malloc(probes);
    if (copy->code == NULL || copy->probes == NULL ||
        (layout->outs.items != NULL &&
         qc_bytes_append(&copy->outs, layout->outs.items, layout->outs.size) < 0)) {
        qc_layout_free(copy);
        return -1;
    }
    memcpy(copy->code, layout->code, layout->bytes);
    memcpy(copy->probes, layout->probes, probes);
    return 0;
}

qc_model *qc_model_new(const qc_layout *layout, uint32_t hook, bool tells)
{
    qc_model *model = qc_malloc(sizeof *model);
    if (model != NULL && copy_layout(&model->layout, layout) < 0) {
        qc_free(model, sizeof *model);
        return NULL;
    }
    if (model != NULL) {
        model->hook = hook;
        model->tells = tells;
    }
    return model;
}

void qc_model_free(qc_model *model)
{
    if (model != NULL) {
        qc_layout_free(&model->layout);
        qc_free(model, sizeof *model);
    }
}

size_t qc_model_bytes(const qc_model *model)
{
    const qc_layout *layout = &model->layout;
    return sizeof *model + layout->bytes + layout->outs.capacity +
           layout->probe_count * sizeof(qc_probe);
}

int qc_model_copy(qc_layout *layout, const qc_model *model)
{
    return copy_layout(layout, &model->layout);
}

#endif
