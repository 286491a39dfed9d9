#include "qc_compat_events.h"

#include "qc_flow.h"
#include "qc_probe_patch.h"
#include "qc_probe_room.h"
#include "qc_record.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ units */

/* The unit of the instruction before the one at `unit`; `unit` itself if there is none. */
static uint32_t previous(const uint8_t *clean, uint32_t unit)
{
    uint32_t at = unit > 0 ? unit - 1 : 0;
    while (at > 0 && clean[2 * (size_t)at] == CACHE) {
        at--;
    }
    return at;
}

/* Does it put a unit of its own in the place of another? */
static bool displaces(const qc_probe *probe)
{
    return probe->kind != QC_PROBE_JUMP && probe->kind != QC_PROBE_OUT;
}

/* The armed probe that displaces a unit, if there is one: what belongs there is in its `saved`. */
static qc_probe *cover_of(qc_twin *twin, uint32_t unit)
{
    uint32_t low = 0, high = twin->probe_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (twin->probes[middle].patch < unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < twin->probe_count && twin->probes[low].patch == unit; low++) {
        if (twin->probes[low].armed && displaces(&twin->probes[low])) {
            return &twin->probes[low];
        }
    }
    return NULL;
}

/* A unit as it is below the probe that may displace it; opcode in the low byte. */
static uint16_t read_unit(PyCodeObject *code, qc_twin *twin, uint32_t unit)
{
    const uint8_t *bytes = qc_code_bytes(code) + 2 * unit;
    const qc_probe *cover = cover_of(twin, unit);
    return cover != NULL ? cover->saved : (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void write_unit(PyCodeObject *code, qc_twin *twin, uint32_t unit, uint8_t opcode,
                       uint8_t argument)
{
    uint8_t *bytes = qc_code_bytes(code) + 2 * unit;
    qc_probe *cover = cover_of(twin, unit);
    if (cover != NULL) {
        cover->saved = (uint16_t)(opcode | argument << 8);
    } else {
        bytes[0] = opcode;
        bytes[1] = argument;
    }
}

/* Has the instruction at `unit` do no more than its own work, without looking ahead. */
static void plain_again(PyCodeObject *code, qc_twin *twin, uint32_t unit)
{
    uint16_t word = read_unit(code, twin, unit);
    if (qc_opcode_looks_ahead((uint8_t)word) || qc_opcode_is_joined((uint8_t)word)) {
        uint8_t base = qc_code_shown(code)[2 * unit];
        write_unit(code, twin, unit, qc_opcode_warm(base), (uint8_t)(word >> 8));
    }
}

/* Before the unit changes: nobody may rely on what stands there. */
static void warn_neighbours(PyCodeObject *code, qc_twin *twin, uint32_t unit)
{
    const uint8_t *at = qc_code_bytes(code) + 2 * (size_t)unit;
    if (twin->fresh && (unit == 0 || !qc_opcode_is_joined(at[-2]))) {
        return; /* nothing looks ahead before it has run */
    }
    const uint8_t *clean = qc_code_shown(code);
    uint32_t one = qc_code_may_look_ahead(code) ? previous(clean, unit) : unit;
    for (int k = 0; k < 2 && one < unit; k++) {
        if (qc_code_bytes(code)[2 * (size_t)one] != clean[2 * (size_t)one]) { /* else as compiled */
            plain_again(code, twin, one);
        }
        one = previous(clean, one);
    }
}

/* Joins the instruction at `unit` with the next as CPython does when code gets warm. */
static void join(PyCodeObject *code, uint32_t unit, uint32_t units)
{
    uint8_t *bytes = qc_code_bytes(code) + 2 * unit;
    const uint8_t *clean = qc_code_shown(code) + 2 * unit;
    if (unit + 1 < units && bytes[0] == clean[0] && bytes[2] == clean[2]) {
        uint8_t joined = qc_opcode_joined(bytes[0], bytes[2]);
        bytes[0] = joined ? joined : bytes[0];
    }
}

/* Where the instruction that begins at `unit` jumps to; -1 if it doesn't. */
static int64_t target_of(const uint8_t *shown, uint32_t unit, uint32_t units)
{
    qc_codeview view = {.code = shown, .units = units};
    uint32_t argument = shown[2 * (size_t)unit + 1];
    while (qc_opcode_flow(shown[2 * (size_t)unit]) == QC_FLOW_EXTEND && unit + 1 < units) {
        unit++;
        argument = argument << 8 | shown[2 * (size_t)unit + 1];
    }
    uint8_t opcode = shown[2 * (size_t)unit];
    qc_flow_kind flow = qc_opcode_flow(opcode);
    bool back = flow == QC_FLOW_JUMP_BACK || flow == QC_FLOW_BRANCH_BACK;
    if (!back && flow != QC_FLOW_JUMP && flow != QC_FLOW_BRANCH) {
        return -1;
    }
    return qc_jump_target(&view, unit, argument, back) + (qc_opcode_exit_units(opcode) > 0);
}

/* Sends the jump of a branch to the trampoline, or back to where it belongs. */
static void turn_jump(PyCodeObject *code, qc_twin *twin, const qc_probe *probe, bool away)
{
    const uint8_t *clean = qc_code_shown(code);
    uint32_t unit = probe->patch + probe->prefixes;
    uint8_t opcode = (uint8_t)read_unit(code, twin, unit);
    if (probe->opcode != clean[2 * unit]) {
        warn_neighbours(code, twin, unit); /* the jump changes its direction */
        opcode = away ? probe->opcode : clean[2 * unit];
    }
    write_unit(code, twin, unit, opcode, away ? probe->argument : clean[2 * unit + 1]);
    for (uint32_t prefix = probe->patch; prefix < unit; prefix++) {
        write_unit(code, twin, prefix, (uint8_t)read_unit(code, twin, prefix),
                   away ? 0 : clean[2 * prefix + 1]);
    }
}

/* How many units the program has. */
static uint32_t clean_units(const qc_twin *twin)
{
    return (uint32_t)PyBytes_GET_SIZE(twin->clean) / 2;
}

static void arm(PyCodeObject *code, qc_twin *twin, qc_probe *probe)
{
    uint8_t *bytes = qc_code_bytes(code) + 2 * (size_t)probe->patch;
    probe->armed = true;
    twin->armed_count++;
    if (probe->kind == QC_PROBE_OUT) {
        qc_code_set_exceptions(code, twin->outs);
        twin->outs_armed = true;
        return;
    }
    if (probe->kind == QC_PROBE_JUMP) {
        turn_jump(code, twin, probe, true);
        return;
    }
    probe->armed = false; /* what stands there counts, not yet what it displaces */
    warn_neighbours(code, twin, probe->patch);
    probe->armed = true;
    uint8_t *opcode = qc_code_opcode(code, probe->patch);
    uint8_t saved =
        qc_code_clear_caches(code, qc_code_shown(code), probe->patch, clean_units(twin), *opcode);
    probe->saved = (uint16_t)(saved | bytes[1] << 8);
    *opcode = probe->opcode;
    bytes[1] = probe->argument;
}

void qc_probe_disarm(PyCodeObject *code, qc_twin *twin, qc_probe *probe)
{
    probe->armed = false;
    twin->armed_count--;
    if (probe->kind == QC_PROBE_OUT) {
        qc_code_set_exceptions(code, twin->exceptions);
        twin->outs_armed = false;
        return;
    }
    if (probe->kind == QC_PROBE_JUMP) {
        turn_jump(code, twin, probe, false);
        return;
    }
    uint32_t unit = probe->patch, units = clean_units(twin);
    const uint8_t *shown = qc_code_shown(code);
    uint8_t saved = (uint8_t)probe->saved;
    bool warm = qc_code_is_warm(code);
    *qc_code_opcode(code, unit) = warm ? qc_opcode_warm(saved) : saved;
    qc_code_bytes(code)[2 * (size_t)unit + 1] = (uint8_t)(probe->saved >> 8);
    int64_t target = qc_code_is_uninstrumented(code) ? -1 : target_of(shown, unit, units);
    qc_code_restore(code, shown, unit, units, target);
    if (warm) {
        join(code, unit, units);
        if (previous(shown, unit) + 1 == unit) {
            join(code, unit - 1, units);
        }
    }
}

void qc_probe_clean(const qc_twin *twin, const qc_probe *probe, uint8_t *bytes)
{
    if (probe->kind == QC_PROBE_OUT) {
        return;
    }
    if (probe->kind != QC_PROBE_JUMP) {
        bytes[2 * (size_t)probe->patch] = (uint8_t)probe->saved;
        bytes[2 * (size_t)probe->patch + 1] = (uint8_t)(probe->saved >> 8);
        return;
    }
    const uint8_t *clean = (const uint8_t *)PyBytes_AS_STRING(twin->clean);
    size_t last = 2 * (size_t)(probe->patch + probe->prefixes);
    for (size_t at = 2 * (size_t)probe->patch; at <= last; at += 2) {
        bytes[at + 1] = clean[at + 1];
    }
    if (probe->opcode != clean[last]) {
        bytes[last] = clean[last]; /* or it may be specialised */
    }
}

/* ------------------------------------------------------------------ the stub */

static void put_stub(PyCodeObject *code, qc_twin *twin)
{
    uint8_t *at = qc_code_bytes(code) + 2 * (size_t)twin->entry;
    if (twin->stub_units == 0 && twin->entry < twin->units) {
        memcpy(twin->saved, at, sizeof twin->saved);
        twin->stub_units = qc_room_write_jump(qc_code_bytes(code), twin->entry, twin->stub);
    }
}

void qc_stub_remove(qc_link *link)
{
    PyCodeObject *code = link->code;
    qc_twin *twin = link->twin;
    uint8_t *bytes = qc_code_bytes(code);
    if (twin->stub_units == 0) {
        return;
    }
    memcpy(bytes + 2 * (size_t)twin->entry, twin->saved, 2 * (size_t)twin->stub_units);
    twin->stub_units = 0;
    if (!qc_code_is_uninstrumented(code) && qc_twin_show(link) < 0) {
        PyErr_Clear(); /* its first line may have no event */
    } else if (qc_code_forget_instrumentation(code)) {
        /* It was about code with a stub, which has never run: begin anew. */
        memset(bytes, 0, 2 * (size_t)qc_code_units(code));
        memcpy(bytes, qc_code_shown(code), 2 * (size_t)twin->units);
        qc_code_quicken(bytes, twin->units);
        qc_room_write_stub(bytes, twin->stub, twin->entry,
                           (uint32_t)PyTuple_GET_SIZE(code->co_consts));
    }
}

/* ------------------------------------------------------------------ twins */

/* Can it tell anything that is asked? */
static bool sees(const qc_probe *probe, bool branches)
{
    return branches || probe->flags & QC_HIT_LINE;
}

static bool lacks(const qc_record *record, const qc_probe *probe, bool branches)
{
    const qc_hits *hits = &record->hits;
    if (probe->flags & QC_HIT_LINE && !qc_hits_has(hits, probe->line_unit, QC_HIT_LINE)) {
        return true;
    }
    if (!branches) {
        return false;
    }
    if ((probe->kind == QC_PROBE_CATCH || probe->kind == QC_PROBE_OUT) && !probe->done) {
        return true;
    }
    unsigned own = probe->flags & (QC_HIT_RETURN | QC_HIT_PASSED | QC_PROBE_RESUMED);
    if (own == 0) {
        return probe->side && !qc_hits_has(hits, probe->other_unit, probe->side);
    }
    return (own & QC_HIT_RETURN && !qc_hits_has(hits, qc_probe_own_unit(probe), QC_HIT_RETURN)) ||
           (own & QC_HIT_PASSED && !qc_hits_has(hits, qc_probe_own_unit(probe), QC_HIT_PASSED)) ||
           (own & QC_PROBE_RESUMED && !qc_hits_has(hits, probe->line_unit - 1, QC_HIT_PASSED)) ||
           (probe->side && !qc_hits_has(hits, probe->other_unit, probe->side));
}

/* The same where functions may begin contexts. */
static bool lacks_in_contexts(const qc_record *record, const qc_probe *probe, bool branches)
{
    return probe->flags & QC_TELLS ||
           (!qc_record_is_hidden(record) && lacks(record, probe, branches));
}

bool qc_twin_arm(qc_link *link, bool branches, bool all, bool fresh)
{
    qc_twin *twin = link->twin;
    twin->fresh = fresh;
    bool left_out = false;
    /* What was seen in this example is to be seen in the next. */
    bool again = twin->probe_count > 0 && qc_records_see_again(link->record->owner);
    bool contexts = twin->probe_count > 0 && link->record->owner->contexts;
    if (!twin->awake && !twin->settled) {
        put_stub(link->code, twin);
    }
    for (uint32_t k = 0; k < twin->probe_count; k++) {
        qc_probe *probe = &twin->probes[k];
        if (all) {
            probe->done = false;
        }
        if (probe->armed || !(again      ? sees(probe, branches)
                              : contexts ? lacks_in_contexts(link->record, probe, branches)
                                         : lacks(link->record, probe, branches))) {
            continue;
        }
        if (probe->slots > twin->slots) {
            /* docs/engines.md tells of those that don't count. */
            unsigned flags = probe->flags & ~(unsigned)QC_TELLS;
            left_out |= probe->kind != QC_PROBE_OUT && flags != QC_PROBE_RESUMED;
        } else {
            arm(link->code, twin, probe);
        }
    }
    twin->fresh = false;
    link->armed = twin->armed_count > 0 || twin->stub_units > 0;
    return !left_out;
}

void qc_twin_arm_probe(qc_link *link, uint32_t probe)
{
    if (probe < link->twin->probe_count && !link->twin->probes[probe].armed) {
        link->twin->probes[probe].done = false;
        arm(link->code, link->twin, &link->twin->probes[probe]);
    }
}

void qc_twin_disarm(qc_link *link)
{
    qc_twin *twin = link->twin;
    if (twin->stub_units > 0) {
        qc_stub_remove(link);
        twin->settled = true;
    }
    for (uint32_t k = 0; k < twin->probe_count && twin->armed_count > 0; k++) {
        if (twin->probes[k].armed) {
            qc_probe_disarm(link->code, twin, &twin->probes[k]);
        }
    }
    link->armed = false;
}

#endif
