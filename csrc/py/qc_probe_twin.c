#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_probe_layout.h"
#include "qc_probe_twin.h"
#include "qc_record.h"
#include "qc_tracer.h"

PyCodeObject *qc_twin_free(qc_codemap *map, qc_twin *twin)
{
    if (twin == NULL) {
        return NULL;
    }
    PyCodeObject *original = twin->original;
    qc_link *link = original != NULL ? qc_codemap_find(map, original) : NULL;
    if (link != NULL) {
        link->replacement = NULL;
    }
    Py_XDECREF(twin->clean);
    qc_free(twin->places, (twin->units + 1) * sizeof(uint32_t));
    qc_free(twin->probes, twin->probe_count * sizeof(qc_probe));
    qc_free(twin, sizeof *twin);
    return original;
}

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ units */

/* The unit of the instruction before the one at `unit`; `unit` itself if there is none. */
static uint32_t previous(const uint8_t *clean, uint32_t unit)
{
    uint32_t at = unit;
    while (at > 0 && clean[2 * --at] == CACHE) {
    }
    return at;
}

/* The armed probe that displaces a unit, if there is one: what belongs there is in its `saved`. */
static qc_probe *cover_of(qc_twin *twin, uint32_t unit)
{
    uint32_t low = 0, high = twin->probe_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (twin->probes[middle].patch < unit) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    for (; low < twin->probe_count && twin->probes[low].patch == unit; low++) {
        if (twin->probes[low].armed && !twin->probes[low].jump) {
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
    }
    else {
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
    const uint8_t *clean = qc_code_shown(code);
    uint32_t one = previous(clean, unit);
    if (one < unit) {
        plain_again(code, twin, one);
        plain_again(code, twin, previous(clean, one));
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

static void arm(PyCodeObject *code, qc_twin *twin, qc_probe *probe)
{
    uint8_t *bytes = qc_code_bytes(code) + 2 * probe->patch;
    if (probe->jump) {
        turn_jump(code, twin, probe, true);
    }
    else {
        warn_neighbours(code, twin, probe->patch);
        bool joined = qc_opcode_is_joined(bytes[0]);
        uint8_t opcode = joined ? qc_code_shown(code)[2 * probe->patch] : bytes[0];
        probe->saved = (uint16_t)(opcode | bytes[1] << 8);
        bytes[0] = probe->opcode;
        bytes[1] = probe->argument;
    }
    probe->armed = true;
    twin->armed_count++;
}

static void disarm(PyCodeObject *code, qc_twin *twin, qc_probe *probe)
{
    probe->armed = false;
    twin->armed_count--;
    if (probe->jump) {
        turn_jump(code, twin, probe, false);
        return;
    }
    uint32_t unit = probe->patch, units = (uint32_t)PyBytes_GET_SIZE(twin->clean) / 2;
    uint8_t *bytes = qc_code_bytes(code) + 2 * unit;
    bool warm = qc_code_is_warm(code);
    bytes[0] = warm ? qc_opcode_warm((uint8_t)probe->saved) : (uint8_t)probe->saved;
    bytes[1] = (uint8_t)(probe->saved >> 8);
    if (warm) {
        join(code, unit, units);
        if (previous(qc_code_shown(code), unit) + 1 == unit) {
            join(code, unit - 1, units);
        }
    }
}

/* ------------------------------------------------------------------ hits */

static bool lacks(const qc_record *record, const qc_probe *probe, bool branches)
{
    if (probe->flags & QC_HIT_LINE && !qc_hits_has(&record->hits, probe->patch, QC_HIT_LINE)) {
        return true;
    }
    if (!branches) {
        return false;
    }
    if (probe->flags & QC_HIT_RETURN &&
        !qc_hits_has(&record->hits, probe->patch + probe->prefixes, QC_HIT_RETURN)) {
        return true;
    }
    return probe->side && !qc_hits_has(&record->hits, probe->side_unit, probe->side);
}

static void record_probe(qc_link *link, const qc_probe *probe)
{
    if (link->record == NULL) {
        return;
    }
    if (probe->flags & QC_HIT_LINE) {
        qc_record_hit(link->record, probe->patch, QC_HIT_LINE);
    }
    if (probe->flags & QC_HIT_RETURN) {
        qc_record_hit(link->record, probe->patch + probe->prefixes, QC_HIT_RETURN);
    }
    if (probe->side) {
        qc_record_hit(link->record, probe->side_unit, probe->side);
    }
}

void qc_twin_arm(qc_link *link, bool branches)
{
    qc_twin *twin = link->twin;
    for (uint32_t k = 0; k < twin->probe_count; k++) {
        qc_probe *probe = &twin->probes[k];
        if (!probe->armed && lacks(link->record, probe, branches)) {
            arm(link->code, twin, probe);
        }
    }
    link->armed = twin->armed_count > 0;
}

void qc_twin_disarm(qc_link *link)
{
    qc_twin *twin = link->twin;
    for (uint32_t k = 0; k < twin->probe_count && twin->armed_count > 0; k++) {
        if (twin->probes[k].armed) {
            disarm(link->code, twin, &twin->probes[k]);
        }
    }
    link->armed = false;
}

/* Has co_code's bytes followed by zeros, for all units there are: to set f_lineno, CPython reads
 * that many. */
static int pad_shown(qc_link *link)
{
    Py_ssize_t shown = PyBytes_GET_SIZE(link->twin->clean);
    Py_ssize_t size = 2 * (Py_ssize_t)qc_code_units(link->code);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return -1;
    }
    memset(PyBytes_AS_STRING(bytes), 0, (size_t)size);
    memcpy(PyBytes_AS_STRING(bytes), PyBytes_AS_STRING(link->twin->clean), (size_t)shown);
    Py_SET_SIZE(bytes, shown);
    Py_SETREF(link->twin->clean, Py_NewRef(bytes));
    qc_code_show(link->code, bytes);
    return 0;
}

int qc_twin_lay_out_lines(qc_link *link)
{
    PyCodeObject *code = link->code;
    if (qc_code_has_lines(code)) {
        return 0;
    }
    if (pad_shown(link) < 0) {
        return -1;
    }
    size_t size = qc_code_units(code) * sizeof(int32_t);
    int32_t *lines = qc_malloc(size);
    if (lines == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    qc_codeview view = {
        .units = qc_code_units(code),
        .linetable = (uint8_t *)PyBytes_AS_STRING(code->co_linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(code->co_linetable),
        .first_line = code->co_firstlineno,
    };
    qc_lines_of_units(&view, lines);
    int result = qc_code_set_lines(code, lines);
    qc_free(lines, size);
    return result;
}

PyObject *qc_twin_adaptive(const qc_link *link)
{
    const qc_twin *twin = link->twin;
    Py_ssize_t size = PyBytes_GET_SIZE(twin->clean);
    const char *items = (const char *)qc_code_bytes(link->code);
    PyObject *result = PyBytes_FromStringAndSize(items, size);
    uint8_t *bytes = result != NULL ? (uint8_t *)PyBytes_AS_STRING(result) : NULL;
    const uint8_t *clean = qc_code_shown(link->code);
    for (uint32_t k = 0; bytes != NULL && k < twin->probe_count; k++) {
        const qc_probe *probe = &twin->probes[k];
        if (!probe->armed) {
            continue;
        }
        if (!probe->jump) {
            bytes[2 * probe->patch] = (uint8_t)probe->saved;
            bytes[2 * probe->patch + 1] = (uint8_t)(probe->saved >> 8);
            continue;
        }
        for (uint32_t unit = probe->patch; unit <= probe->patch + probe->prefixes; unit++) {
            bytes[2 * unit + 1] = clean[2 * unit + 1];
        }
        bytes[2 * (probe->patch + probe->prefixes)] = clean[2 * (probe->patch + probe->prefixes)];
    }
    for (Py_ssize_t unit = 0; bytes != NULL && unit < size / 2; unit++) {
        if (clean[2 * unit] == NOP && bytes[2 * unit] != NOP) {
            bytes[2 * unit] = NOP; /* an island */
            bytes[2 * unit + 1] = 0;
        }
    }
    return result;
}

int64_t qc_twin_place(const qc_twin *twin, uint32_t unit)
{
    if (!twin->moved) {
        return unit;
    }
    return twin->places != NULL && unit < twin->units ? (int64_t)twin->places[unit] : -1;
}

/* ------------------------------------------------------------------ trace functions */

/* A trace function would see a line begin again where a trampoline goes back: the trampoline has
 * no line. So its next event is taken from it, if it is that one. */
static _Thread_local struct {
    Py_tracefunc function;
    int lasti;
} muted;

static int take_event(PyObject *object, PyFrameObject *frame, int what, PyObject *arg)
{
    Py_tracefunc function = muted.function;
    qc_set_tracefunc(function);
    if (what == PyTrace_LINE && PyFrame_GetLasti(frame) == muted.lasti) {
        return 0;
    }
    return function(object, frame, what, arg);
}

/* Called in a trampoline: the program goes on where the probe stood, or at the branch's target. */
static void hide_from_trace_function(PyCodeObject *code, const qc_probe *probe)
{
    Py_tracefunc function = qc_active_tracefunc();
    uint32_t to = probe->patch;
    if (function == NULL || function == take_event) {
        return;
    }
    if (probe->jump) {
        to = probe->target;
        if (to <= probe->patch || PyCode_Addr2Line(code, 2 * (int)to) !=
                                      PyCode_Addr2Line(code, 2 * (int)probe->patch)) {
            return; /* a line begins there anyway */
        }
    }
    muted.function = function;
    muted.lasti = 2 * (int)to;
    qc_set_tracefunc(take_event);
}

/* ------------------------------------------------------------------ the hook */

typedef struct qc_hook {
    PyObject_HEAD
    qc_codemap *map;
} qc_hook;

static qc_probe *probe_of_trampoline(qc_twin *twin, uint32_t unit)
{
    uint32_t low = 0, high = twin->probe_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (twin->probes[middle].trampoline <= unit) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low > 0 ? &twin->probes[low - 1] : NULL;
}

/* Runs no Python, allocates no Python object: the frame is in the midst of a trampoline. */
static int hook_bool(qc_hook *hook)
{
    uint32_t unit;
    PyCodeObject *code = qc_current_code(&unit);
    qc_link *link = qc_codemap_find(hook->map, code);
    qc_probe *probe = link != NULL && link->twin ? probe_of_trampoline(link->twin, unit) : NULL;
    if (probe != NULL) {
        if (probe->armed) {
            disarm(code, link->twin, probe);
        }
        record_probe(link, probe);
        hide_from_trace_function(code, probe);
        if (hook->map->prober != NULL) {
            hook->map->prober->store->activity = true;
        }
    }
    return 1;
}

PyObject *qc_hook_new(PyTypeObject *type, qc_codemap *map)
{
    qc_hook *hook = PyObject_New(qc_hook, type);
    if (hook != NULL) {
        hook->map = qc_codemap_hold(map);
    }
    return (PyObject *)hook;
}

static PyType_Slot hook_slots[] = {
    {Py_nb_bool, hook_bool},
    {0, NULL},
};

PyType_Spec qc_hook_spec = {
    .name = "quickcover._native.Hook",
    .basicsize = sizeof(qc_hook),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = hook_slots,
};

/* ------------------------------------------------------------------ making twins */

PyObject *qc_twin_consts(Py_ssize_t count, PyObject *hook)
{
    PyObject *consts = PyTuple_New(count + 1);
    if (consts != NULL) {
        PyTuple_SET_ITEM(consts, count, hook); /* borrowed: it is never freed */
        Py_SET_SIZE(consts, count);
        PyObject_GC_UnTrack(consts); /* constants are in no cycle: spare the collector them */
    }
    return consts;
}

static PyObject *bytes_of(const uint8_t *items, size_t size)
{
    return PyBytes_FromStringAndSize((const char *)items, (Py_ssize_t)size);
}

/* A code object with the bytes of a layout; *clean is what it shows as co_code, strong. If nothing
 * has moved, it shares what it can with its original. */
static PyCodeObject *build(PyCodeObject *code, PyObject *consts, const qc_layout *layout,
                           PyObject **clean)
{
    PyCodeObject *twin = NULL;
    PyObject *linetable, *exceptions;
    PyObject *bytes = bytes_of(layout->code, layout->bytes);
    if (layout->moved) {
        linetable = bytes_of(layout->linetable, layout->linetable_size);
        exceptions = bytes_of(layout->exceptions, layout->exceptions_size);
        *clean = bytes_of(layout->clean, 2 * (size_t)layout->clean_units);
    }
    else {
        linetable = Py_NewRef(code->co_linetable);
        exceptions = Py_NewRef(code->co_exceptiontable);
        *clean = PyCode_GetCode(code);
    }
    if (bytes != NULL && linetable != NULL && exceptions != NULL && *clean != NULL &&
        (twin = qc_code_new_like(code, bytes, consts, linetable, exceptions,
                                 layout->deepest < INT16_MAX ? layout->deepest
                                                             : code->co_stacksize + 1))) {
        qc_code_show(twin, Py_NewRef(*clean));
    }
    else {
        Py_CLEAR(*clean);
    }
    Py_XDECREF(bytes);
    Py_XDECREF(linetable);
    Py_XDECREF(exceptions);
    return twin;
}

/* Plans and lays out. 0, 1 if that can't be done, or -1 with an exception set. */
static int lay_out(PyCodeObject *code, Py_ssize_t hook_index, qc_layout *layout)
{
    PyObject *bytecode = PyCode_GetCode(code);
    if (bytecode == NULL) {
        return -1;
    }
    qc_codeview view = {
        .code = (uint8_t *)PyBytes_AS_STRING(bytecode),
        .units = (uint32_t)(PyBytes_GET_SIZE(bytecode) / 2),
        .linetable = (uint8_t *)PyBytes_AS_STRING(code->co_linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(code->co_linetable),
        .exceptions = (uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable),
        .exceptions_size = (size_t)PyBytes_GET_SIZE(code->co_exceptiontable),
        .first_line = code->co_firstlineno,
    };
    qc_plan plan;
    int result = qc_plan_make(&plan, &view, true);
    if (result == 0) {
        result = qc_layout_make(layout, &plan, &view, (uint32_t)hook_index);
        qc_plan_free(&plan);
    }
    if (result < 0) {
        PyErr_NoMemory();
    }
    Py_DECREF(bytecode);
    return result;
}

PyCodeObject *qc_twin_new(qc_codemap *map, PyCodeObject *code, PyObject *consts)
{
    qc_layout layout;
    qc_link *original = qc_codemap_get(map, code), *link = NULL;
    if (original == NULL || lay_out(code, PyTuple_GET_SIZE(consts), &layout) != 0) {
        return NULL;
    }
    qc_twin *twin = qc_calloc(1, sizeof *twin);
    PyObject *clean = NULL;
    PyCodeObject *result = twin != NULL ? build(code, consts, &layout, &clean) : NULL;
    link = result != NULL ? qc_codemap_get(map, result) : NULL;
    if (link != NULL) {
        twin->original = (PyCodeObject *)Py_NewRef(code);
        twin->clean = clean;
        twin->moved = layout.moved;
        if (code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) {
            twin->places = layout.places; /* for those that are suspended */
            twin->units = layout.place_count - 1;
            layout.places = NULL;
        }
        twin->probes = layout.probes;
        twin->probe_count = layout.probe_count;
        layout.probes = NULL;
        link->twin = twin;
        if (map->traced && qc_twin_lay_out_lines(link) < 0) {
            PyErr_Clear(); /* a trace function may see a line too many */
        }
        original->replacement = result;
    }
    else {
        if (twin == NULL) {
            PyErr_NoMemory();
        }
        qc_free(twin, sizeof *twin);
        Py_CLEAR(result);
        Py_XDECREF(clean);
    }
    qc_layout_free(&layout);
    return result;
}

#endif
