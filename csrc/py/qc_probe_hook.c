#include "qc_compat_bell.h"
#include "qc_compat_events.h"

#include "qc_engine_probe.h"
#include "qc_flow.h"
#include "qc_probe_bell.h"
#include "qc_probe_calls.h"
#include "qc_probe_context.h"
#include "qc_probe_hook.h"
#include "qc_probe_patch.h"
#include "qc_probe_room.h"
#include "qc_probe_slots.h"
#include "qc_record.h"
#include "qc_session.h"

#if QC_HAVE_PROBES

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
    if (what == PyTrace_OPCODE && PyFrame_GetLasti(frame) != muted.lasti) {
        return function(object, frame, what, arg); /* still in the trampoline */
    }
    qc_set_tracefunc(function);
    if (what == PyTrace_LINE && PyFrame_GetLasti(frame) == muted.lasti) {
        return 0;
    }
    return function(object, frame, what, arg);
}

/* Called in a trampoline that goes on at a unit where a trace function saw its line begin already.
 */
static void mute(qc_codemap *map, uint32_t unit)
{
    Py_tracefunc function = qc_active_tracefunc();
    if (function != NULL && function != take_event) {
        if (qc_probe_expect_trace(map) < 0) { /* set by C code, not by sys.settrace() */
            PyErr_Clear();                    /* it may see a line too many */
        }
        muted.function = function;
        muted.lasti = 2 * (int)unit;
        qc_set_tracefunc(take_event);
    }
}

/* `unit` is where the trampoline is. */
static void hide_from_trace_function(qc_link *link, const qc_probe *probe, uint32_t unit)
{
    PyCodeObject *code = link->code;
    if (QC_LIKELY(!qc_code_has_line_events(code)) || probe->kind == QC_PROBE_OUT ||
        qc_probe_hides_jump(probe->flags)) {
        return;
    }
    int line = PyCode_Addr2Line(code, 2 * (int)probe->patch);
    if (qc_code_lend_line(code, unit, line)) {
        return;
    }
    if (probe->kind == QC_PROBE_JUMP &&
        (probe->target <= probe->patch || PyCode_Addr2Line(code, 2 * (int)probe->target) != line)) {
        return; /* a line begins there anyway */
    }
    if (probe->kind == QC_PROBE_CATCH && line < 0) {
        return;
    }
    mute(link->map, probe->target);
}

/* ------------------------------------------------------------------ hits */

/* The exception that came to the handler that the probe stands in, borrowed. */
static PyObject *caught(const qc_link *link, const qc_probe *probe)
{
    qc_codeview view = qc_record_view(link->record);
    qc_exception_entry entry;
    const uint8_t *at = view.exceptions;
    if (view.code[2 * (size_t)qc_probe_own_unit(probe)] == PUSH_EXC_INFO) {
        return qc_handled_exception();
    }
    while ((at = qc_exception_next(&view, at, &entry)) != NULL) {
        if (entry.target == qc_probe_own_unit(probe)) {
            return qc_stacked((entry.depth >> 1) + (entry.depth & 1));
        }
    }
    return NULL;
}

/* An exception was caught by the handler that the probe stands in. True: ask again next time. */
static bool landed(const qc_link *link, const qc_probe *probe)
{
    PyCodeObject *original = link->twin->original;
    uint32_t unit = qc_exception_unit(caught(link, probe), link->code);
    int lasti = unit != UINT32_MAX ? 2 * (int)qc_twin_origin(link->twin, unit) : -1;
    return qc_record_landing(link->record, original, lasti, probe->other_unit);
}

/* Was the exception that leaves the code thrown into it where it yields? That is no way out, to
 * coverage.py; on 3.11 not in the loop of an async for, either. */
static bool was_thrown_in(qc_link *link, uint32_t unit)
{
    qc_codeview view = qc_record_view(link->record);
    uint8_t opcode = unit < view.units ? view.code[2 * (size_t)unit] : CACHE;
    if (!QC_RESUMES_UNSEEN || opcode != END_ASYNC_FOR) {
        return opcode == YIELD_VALUE || (!QC_LASTI_IS_YIELD && qc_opcode_is_resume(opcode));
    }
    uint32_t from = qc_exception_unit(qc_leaving_exception(), link->code);
    return from < (size_t)PyBytes_GET_SIZE(link->twin->clean) / 2 &&
           qc_code_shown(link->code)[2 * (size_t)from] == YIELD_VALUE;
}

static void record_probe(qc_link *link, qc_probe *probe)
{
    if (link->record == NULL) {
        return;
    }
    if (probe->flags & QC_HIT_LINE) {
        qc_record_hit(link->record, probe->line_unit, QC_HIT_LINE);
    }
    if (!link->record->owner->branch) {
        probe->done = true; /* an exception's way is no line */
        return;
    }
    if (probe->flags & QC_HIT_RETURN) {
        qc_record_hit(link->record, qc_probe_own_unit(probe), QC_HIT_RETURN);
    }
    if (probe->flags & QC_HIT_PASSED) {
        qc_record_hit(link->record, qc_probe_own_unit(probe), QC_HIT_PASSED);
    }
    if (probe->flags & QC_PROBE_RESUMED) {
        qc_record_hit(link->record, probe->line_unit - 1, QC_HIT_PASSED);
    }
    if (probe->side) {
        qc_record_hit(link->record, probe->other_unit, probe->side);
    }
    if (probe->kind == QC_PROBE_CATCH) {
        probe->done = probe->done || !landed(link, probe);
    } else if (probe->kind == QC_PROBE_OUT) {
        uint32_t unit = qc_twin_origin(link->twin, qc_raising_unit());
        if (!was_thrown_in(link, unit)) {
            qc_record_hit(link->record, unit, QC_HIT_UNWIND);
        }
    }
}

/* Takes the probe out, unless it stays. */
static void settle(qc_link *link, qc_probe *probe)
{
    bool stays = probe->kind == QC_PROBE_CATCH || probe->kind == QC_PROBE_OUT;
    if (probe->armed && (!stays || probe->done || link->record == NULL)) {
        qc_probe_disarm(link->code, link->twin, probe);
        if (link->record != NULL && qc_records_see_again(link->record->owner)) {
            qc_session_fired(link->record->owner->session, link,
                             (uint32_t)(probe - link->twin->probes));
        }
    }
}

/* Contexts change before, or after, what a probe records that tells where a frame begins or ends.
 * It is armed meanwhile, so that no new context arms it. -1 with an exception that is the
 * program's. */
static int fire_in_contexts(qc_tracer *tracer, qc_link *link, qc_probe *probe)
{
    Py_INCREF(tracer); /* Python code runs, during which another thread may stop us */
    int result = qc_probe_context_check(tracer);
    if (result == 0 && probe->flags & QC_TELLS_BEGIN) {
        result = qc_probe_frame_begins(tracer, link);
    }
    if (link->record != NULL && !qc_record_is_hidden(link->record)) {
        record_probe(link, probe);
    }
    probe->done = probe->done && !(probe->flags & QC_TELLS);
    if (result == 0 && probe->flags & QC_TELLS_END) {
        result = qc_probe_frame_ends(tracer, link);
    }
    settle(link, probe);
    Py_DECREF(tracer);
    return result;
}

static int fire(qc_link *link, qc_probe *probe)
{
    if (qc_probe_calls_passes(link, probe)) {
        return 0;
    }
    qc_tracer *tracer = link->map->prober;
    if (QC_UNLIKELY(link->record != NULL && link->record->owner->contexts && tracer != NULL)) {
        return fire_in_contexts(tracer, link, probe);
    }
    record_probe(link, probe);
    settle(link, probe);
    return 0;
}

/* ------------------------------------------------------------------ the hook */

typedef struct qc_hook {
    PyObject_HEAD
    qc_codemap *map;
    PyObject *ring; /* strong */
} qc_hook;

static _Thread_local qc_ringing ringing;

/* Calls that the engine may make where the program has reached its recursion limit. */
enum { CALLS = 50 };

static qc_probe *probe_of_trampoline(qc_twin *twin, uint32_t unit)
{
    uint32_t low = 0, high = twin->probe_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (twin->probes[middle].trampoline <= unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? &twin->probes[low - 1] : NULL;
}

/* The code of a twin that sleeps is about to run for the first time. The probe of its first line
 * has been passed by then: it fires at once. -1 with an exception that is the program's. */
static int wake(const qc_hook *hook, qc_link *link)
{
    qc_tracer *tracer = hook->map->prober;
    qc_stub_remove(link);
    if (QC_STUB_AFTER_RESUME) {
        mute(link->map, link->twin->entry);
    }
    if (tracer == NULL || link->epoch != tracer->store->epoch) {
        link->twin->settled = true;
        return 0;
    }
    Py_INCREF(tracer); /* beginning runs Python code, during which another thread may stop us */
    tracer->store->activity = true;
    qc_recursion_allow(CALLS);
    bool begun = qc_probe_begin(tracer, link) == 0;
    qc_recursion_allow(-CALLS);
    int result = begun ? 0 : qc_tracer_fail(tracer);
    Py_DECREF(tracer);
    if (!begun) {
        return result;
    }
    for (uint32_t k = 0; k < link->twin->probe_count; k++) {
        qc_probe *probe = &link->twin->probes[k];
        if (probe->patch == link->twin->entry && probe->kind == QC_PROBE_AT && probe->armed) {
            return fire(link, probe);
        }
        if (probe->patch > link->twin->entry) {
            break;
        }
    }
    return 0;
}

/* A bell has called the ring: the frame that it hangs in goes on in the twin, at the landing. -1
 * with an exception that is the program's. */
static int answer(const qc_hook *hook)
{
    _PyInterpreterFrame *frame = qc_ring_caller(&ringing);
    PyCodeObject *code = qc_iframe_code(frame);
    qc_link *link = qc_codemap_find(hook->map, code);
    uint32_t entry = link->bell->entry;
    qc_tracer *tracer = hook->map->prober;
    Py_XINCREF(tracer);
    PyCodeObject *twin = tracer != NULL ? qc_probe_exchange(tracer, code, frame->f_globals) : NULL;
    qc_recursion_allow(-CALLS);
    int result = 0;
    if (twin != NULL) {
        PyObject *function = qc_iframe_function(frame);
        if (PyFunction_GET_CODE(function) == (PyObject *)code) {
            qc_function_put_code(function, twin);
        }
        uint32_t constants = (uint32_t)PyTuple_GET_SIZE(twin->co_consts);
        qc_iframe_exchange(frame, twin,
                           qc_room_landing(qc_twin_of(hook->map, twin)->stub, constants));
        Py_DECREF(twin);
    } else {
        /* It goes on unmeasured. What the ring returns stays on its stack, which has room. */
        qc_iframe_exchange(frame, code, entry);
        qc_bell_free(link);
        qc_ring_ends(&ringing);
        result = tracer != NULL ? qc_tracer_fail(tracer) : 0;
    }
    Py_XDECREF(tracer);
    return result;
}

/* A trampoline asks (qc_trampoline_test): the frame is in its midst. Only a failure runs Python
 * code. */
static int hook_bool(const qc_hook *hook)
{
    uint32_t unit;
    PyCodeObject *code = qc_current_code(&unit);
    qc_link *link = qc_codemap_find(hook->map, code);
    if (link == NULL || link->twin == NULL) {
        bool rings = (PyObject *)code == PyFunction_GET_CODE(hook->ring);
        return rings && answer(hook) < 0 ? -1 : 1;
    }
    if (unit >= link->twin->stub) {
        if (unit < qc_room_landing(link->twin->stub, (uint32_t)PyTuple_GET_SIZE(code->co_consts))) {
            return wake(hook, link) < 0 ? -1 : 1;
        }
        qc_ring_ends(&ringing);
        return 1;
    }
    qc_probe *probe = probe_of_trampoline(link->twin, unit);
    if (probe != NULL) {
        int result = fire(link, probe);
        if (result < 0) {
            return result;
        }
        hide_from_trace_function(link, probe, unit);
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
        hook->ring = qc_ring_new((PyObject *)hook);
    }
    return hook != NULL && hook->ring != NULL ? (PyObject *)hook : NULL;
}

PyObject *qc_hook_begin_ring(PyObject *object)
{
    const qc_hook *hook = (const qc_hook *)object;
    const _PyInterpreterFrame *frame = qc_thread_iframe(PyThreadState_Get());
    const qc_link *link = frame != NULL ? qc_codemap_find(hook->map, qc_iframe_code(frame)) : NULL;
    if (link == NULL || link->bell == NULL || !link->bell->hangs) {
        return NULL;
    }
    qc_recursion_allow(CALLS);
    qc_ring_begins(&ringing);
    return Py_NewRef(hook->ring);
}

static PyObject *hook_negative(const qc_hook *hook)
{
    return hook_bool(hook) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyType_Slot hook_slots[] = {
    {Py_nb_bool, hook_bool},
    {Py_nb_negative, hook_negative},
    {0, NULL},
};

PyType_Spec qc_hook_spec = {
    .name = "quickcover._native.Hook",
    .basicsize = sizeof(qc_hook),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = hook_slots,
};

#endif
