#include "qc_compat_probe.h"

#include "../core/qc_mem.h"
#include "qc_probe_plan.h"
#include "qc_probe_room.h"

#if QC_HAVE_PROBES

uint32_t qc_write_prefixed(uint8_t *code, uint32_t at, uint8_t prefixes, uint8_t opcode,
                           uint32_t argument)
{
    uint8_t *to = code + 2 * (size_t)at;
    for (uint8_t left = prefixes; left > 0; left--) {
        *to++ = EXTENDED_ARG;
        *to++ = (uint8_t)(argument >> (8 * left));
    }
    to[0] = opcode;
    to[1] = (uint8_t)argument;
    return at + prefixes + 1u;
}

/* ------------------------------------------------------------------ the stub */

uint32_t qc_room_entry(const qc_codeview *view)
{
    for (uint32_t unit = 0; unit < view->units; unit++) {
        if (qc_opcode_is_resume(view->code[2 * unit])) {
            return unit + QC_STUB_AFTER_RESUME;
        }
    }
    return view->units;
}

uint32_t qc_room_write_way_back(uint8_t *code, uint32_t at, uint32_t to)
{
    qc_hide_jump(code + 2 * (size_t)at);
    at += QC_HIDDEN_JUMP_UNITS;
    (void)qc_write_prefixed(code, at, QC_FAR_UNITS - 1, JUMP_BACKWARD_NO_INTERRUPT,
                            at + QC_FAR_UNITS - to);
    return at + QC_HIDDEN_JUMP_CACHES;
}

static uint32_t write_question(uint8_t *code, uint32_t at, uint32_t hook)
{
    at = qc_write_prefixed(code, at, qc_prefixes_for(hook), LOAD_CONST, hook);
    qc_trampoline_test(code + 2 * (size_t)at);
    return at + QC_TRAMPOLINE_TEST_UNITS;
}

static uint32_t question_units(uint32_t hook)
{
    return qc_prefixes_for(hook) + 1u + QC_TRAMPOLINE_TEST_UNITS;
}

uint32_t qc_room_landing(uint32_t stub, uint32_t hook)
{
    return stub + question_units(hook) + QC_WAY_BACK_UNITS;
}

void qc_room_write_stub(uint8_t *code, uint32_t stub, uint32_t entry, uint32_t hook)
{
    uint32_t at = qc_room_write_way_back(code, write_question(code, stub, hook), entry);
    at = qc_write_prefixed(code, at, 0, POP_TOP, 0);
    if (QC_RING_HIDES_EVENTS) {
        at = write_question(code, at, hook);
    }
    (void)qc_room_write_way_back(code, at, entry - QC_STUB_AFTER_RESUME);
}

uint8_t qc_room_write_jump(uint8_t *code, uint32_t at, uint32_t to)
{
    uint8_t prefixes = 0;
    while (qc_prefixes_for(to - at - 1 - prefixes) > prefixes) {
        prefixes++;
    }
    (void)qc_write_prefixed(code, at, prefixes, JUMP_FORWARD, to - at - 1 - prefixes);
    return (uint8_t)(prefixes + 1);
}

/* ------------------------------------------------------------------ room */

/* Sets of units, as bits. */
typedef struct unit_sets {
    uint64_t *sites;    /* instructions that may have a probe */
    uint64_t *targets;  /* where jumps go */
    uint64_t *branched; /* what comes after a branch */
    size_t words;       /* of each */
} unit_sets;

/* How much of what takes room there is, or may be. */
typedef struct census {
    uint32_t sites;
    uint32_t pads; /* branches that may need a NOP after them */
    uint32_t handlers;
    uint32_t branches, jumps;
    uint32_t classes; /* that exceptions may lead past */
    uint32_t resumes; /* where suspended frames may go on */
} census;

static void add(uint64_t *set, uint32_t unit)
{
    set[unit / 64] |= UINT64_C(1) << unit % 64;
}

static void add_handlers(const qc_codeview *view, unit_sets *sets, census *count)
{
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    while ((at = qc_exception_next(view, at, &entry)) != NULL) {
        if (entry.target < view->units) {
            add(sets->sites, entry.target);
            add(sets->targets, entry.target);
            count->handlers++;
        }
    }
}

static void count_classes(const qc_codeview *view, census *count)
{
    for (uint32_t unit = 0; view->exceptions_size > 0 && unit < view->units; unit++) {
        count->classes += view->code[2 * (size_t)unit] == LOAD_BUILD_CLASS;
    }
}

/* The first unit from `unit` on with an instruction that does more than go on to the next. Most
 * don't, and all code that is loaded passes by here. */
static uint32_t next_of_interest(const qc_codeview *view, uint32_t unit)
{
    enum { PASSED = 1u << QC_FLOW_NEXT | 1u << QC_FLOW_CACHE };
    while (unit < view->units && PASSED >> qc_opcode_flow(view->code[2 * (size_t)unit]) & 1) {
        unit++;
    }
    return unit;
}

/* Adds where jumps go and what else may have a probe. */
static void add_jumps(const qc_codeview *view, unit_sets *sets, census *count)
{
    uint32_t argument = 0, last = 0;
    for (uint32_t unit; (unit = next_of_interest(view, last)) < view->units; last = unit + 1) {
        qc_flow_kind flow = qc_opcode_flow(view->code[2 * unit]);
        argument = (unit > last ? 0 : argument << 8) | view->code[2 * unit + 1];
        if (flow == QC_FLOW_EXTEND) {
            continue;
        }
        bool back = flow == QC_FLOW_JUMP_BACK || flow == QC_FLOW_BRANCH_BACK;
        bool branch = flow == QC_FLOW_BRANCH || flow == QC_FLOW_BRANCH_BACK;
        if (branch || flow == QC_FLOW_JUMP || flow == QC_FLOW_JUMP_BACK) {
            uint32_t target = qc_jump_target(view, unit, argument, back);
            target = target < view->units ? target : unit;
            add(sets->sites, target);
            add(sets->targets, target);
            count->jumps++;
        }
        add(sets->sites, unit); /* a return, or a jump that proves where control went */
        if (branch || flow == QC_FLOW_ASYNC_END) {
            add(sets->sites, unit + 1);
            add(sets->branched, unit + 1);
        }
        count->branches += branch;
        argument = 0;
    }
}

/* Is it the code of a generator, or a coroutine? */
static bool makes_generator(const qc_codeview *view)
{
    uint32_t unit = 0;
    while (unit < view->units && !qc_opcode_is_resume(view->code[2 * unit])) {
        if (view->code[2 * unit++] == RETURN_GENERATOR) {
            return true;
        }
    }
    return false;
}

/* Adds what tells where frames begin and end, or but where suspended ones go on. */
static void add_telling(const qc_codeview *view, bool tells, unit_sets *sets, census *count)
{
    for (uint32_t unit = 0; unit < view->units; unit++) {
        uint8_t opcode = view->code[2 * unit];
        if (qc_opcode_is_resume(opcode)) {
            add(sets->sites, unit + 1);
            count->resumes++;
        } else if (tells && qc_plan_tells(opcode)) {
            add(sets->sites, unit);
        }
    }
}

static void take_census(const qc_codeview *view, bool tells, unit_sets *sets, census *count)
{
    if (tells || makes_generator(view)) {
        add_telling(view, tells, sets, count);
    }
    qc_line_changes(view, sets->sites);
    add_handlers(view, sets, count);
    count_classes(view, count);
    add_jumps(view, sets, count);
    for (size_t k = 0; k < sets->words; k++) {
        count->sites += qc_bits_set(sets->sites[k]);
        count->pads += qc_bits_set(sets->targets[k] & sets->branched[k]);
    }
}

uint32_t qc_room_units(const qc_codeview *view, uint32_t hook, bool tells, uint32_t *stub)
{
    enum { ONE_ISLAND_IN = 50, NEAR = 200, SMALL = 8 };
    census count = {0};
    uint64_t small[3 * SMALL] = {0};
    size_t words = view->units / 64 + 1; /* a branch may be the last */
    uint64_t *bits = words <= SMALL ? small : qc_calloc(3 * words, sizeof *bits);
    if (bits == NULL) {
        return 0;
    }
    unit_sets sets = {bits, bits + words, bits + 2 * words, words};
    take_census(view, tells, &sets, &count);
    if (bits != small) {
        qc_free(bits, 3 * words * sizeof *bits);
    }
    uint32_t ask = question_units(hook);
    uint32_t units = view->units + count.pads +
                     (count.sites + count.pads + count.classes) * (ask + 1) + count.handlers +
                     count.resumes * QC_WAY_BACK_UNITS +
                     count.branches * (ask + QC_FAR_UNITS + QC_MAX_EXIT_UNITS) + ask + QC_FAR_UNITS;
    if (units > NEAR) {
        units += 2 * count.jumps + units / ONE_ISLAND_IN;
    }
    *stub = units;
    return qc_room_landing(units, hook) + 1 + ask + QC_WAY_BACK_UNITS;
}

#endif
