#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_quiet.h"

#if QC_HAVE_MONITORING

enum { BITS = 64, SMALL = 32 }; /* words on the stack: enough for 2,048 units */

static bool bit(const uint64_t *bits, uint32_t unit)
{
    return (bits[unit / BITS] >> (unit % BITS) & 1) != 0;
}

static void set_bit(uint64_t *bits, uint32_t unit)
{
    bits[unit / BITS] |= (uint64_t)1 << (unit % BITS);
}

/* Has `unit` a line event though the instruction before it is on the same line? */
static bool is_suspect(const PyCodeObject *code, const uint64_t *changes, uint32_t unit)
{
    return ((const uint8_t *)code->co_code_adaptive)[2 * (size_t)unit] == INSTRUMENTED_LINE &&
           !bit(changes, unit);
}

static bool any_suspect(const PyCodeObject *code, const uint64_t *changes, uint32_t units)
{
    for (uint32_t unit = 1; unit < units; unit++) {
        if (is_suspect(code, changes, unit)) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ ways from other lines */

typedef struct ways {
    const qc_codeview *view;
    const int32_t *lines;
    uint64_t *open; /* a bit for each unit: control may come there from another line */
} ways;

static void lead(const ways *w, uint32_t from, uint32_t to)
{
    if (to < w->view->units && w->lines[from] != w->lines[to]) {
        set_bit(w->open, to);
    }
}

/* Opens what the instruction at `unit` leads to, if that is on another line; returns the next. */
static uint32_t open_ways(const ways *w, uint32_t unit)
{
    const qc_codeview *view = w->view;
    uint32_t argument = view->code[2 * (size_t)unit + 1];
    while (qc_opcode_flow(view->code[2 * (size_t)unit]) == QC_FLOW_EXTEND &&
           unit + 1 < view->units) {
        lead(w, unit, unit + 1);
        unit++;
        argument = argument << 8 | view->code[2 * (size_t)unit + 1];
    }
    uint8_t opcode = view->code[2 * (size_t)unit];
    qc_flow_kind flow = qc_opcode_flow(opcode);
    uint32_t next = unit + 1;
    while (next < view->units && qc_opcode_flow(view->code[2 * (size_t)next]) == QC_FLOW_CACHE) {
        next++;
    }
    bool back = flow == QC_FLOW_JUMP_BACK || flow == QC_FLOW_BRANCH_BACK;
    if (back || flow == QC_FLOW_JUMP || flow == QC_FLOW_BRANCH) {
        uint32_t target = qc_jump_target(view, unit, argument, back);
        lead(w, unit, target);
        lead(w, unit, target + 1); /* a loop that ends may leave its END_FOR out */
    }
    if (qc_opcode_is_resume(opcode) && next < view->units) {
        set_bit(w->open, next); /* CPython has an event after it on any line */
    } else {
        lead(w, unit, next);
    }
    return next;
}

/* All ways that lead to another line; handlers are reached from anywhere. */
static void open_all(const ways *w)
{
    qc_exception_entry entry;
    const uint8_t *at = w->view->exceptions;
    while ((at = qc_exception_next(w->view, at, &entry)) != NULL) {
        if (entry.target < w->view->units) {
            set_bit(w->open, entry.target);
        }
    }
    for (uint32_t unit = 0; unit < w->view->units;) {
        unit = open_ways(w, unit);
    }
}

/* ------------------------------------------------------------------ the record's list */

/* The units that can't have a line event, of those that have one: a list, its length first. NULL
 * without memory. */
static uint32_t *quiet_units(const PyCodeObject *code, const qc_codeview *view,
                             const uint64_t *changes)
{
    uint32_t words = view->units / BITS + 1, count = 0, *list = NULL;
    int32_t *lines = qc_malloc(view->units * sizeof *lines);
    uint64_t *open = qc_calloc(words, sizeof *open);
    if (lines != NULL && open != NULL) {
        qc_lines_of_units(view, lines);
        open_all(&(ways){view, lines, open});
        for (uint32_t unit = 1; unit < view->units; unit++) {
            count += is_suspect(code, changes, unit) && !bit(open, unit);
        }
        list = qc_malloc((count + 1) * sizeof *list);
    }
    for (uint32_t unit = 1, k = 0; list != NULL && unit < view->units; unit++) {
        list[0] = count;
        if (is_suspect(code, changes, unit) && !bit(open, unit)) {
            list[++k] = unit;
        }
    }
    qc_free(lines, view->units * sizeof *lines);
    qc_free(open, words * sizeof *open);
    return list;
}

static uint32_t *find(qc_link *link)
{
    uint64_t small[SMALL] = {0};
    qc_codeview view = qc_record_view(link->record);
    uint32_t words = view.units / BITS + 1;
    uint64_t *changes = words <= SMALL ? small : qc_calloc(words, sizeof *changes);
    uint32_t *list = NULL;
    if (changes != NULL) {
        qc_line_changes(&view, changes);
    }
    if (changes != NULL && any_suspect(link->code, changes, view.units)) {
        PyObject *bytecode = view.code == NULL ? PyCode_GetCode(link->code) : NULL;
        view.code = bytecode != NULL ? (uint8_t *)PyBytes_AS_STRING(bytecode) : view.code;
        list = view.code != NULL ? quiet_units(link->code, &view, changes) : NULL;
        PyErr_Clear();
        Py_XDECREF(bytecode);
    }
    if (changes != small) {
        qc_free(changes, words * sizeof *changes);
    }
    return list;
}

void qc_quiet(qc_link *link, int tool)
{
    if (!link->record->quiet_known) {
        link->record->quiet_known = true;
        link->record->quiet = find(link);
    }
    qc_quiet_again(link, tool);
}

void qc_quiet_again(qc_link *link, int tool)
{
    const qc_record *record = link->record;
    for (uint32_t k = 1; record->quiet != NULL && k <= record->quiet[0]; k++) {
        qc_code_disarm_line(link->code, record->quiet[k], tool);
    }
}

#endif
