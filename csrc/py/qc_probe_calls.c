#include "qc_compat_evaluator.h"
#include "qc_compat_probe.h"

#include "../core/qc_mem.h"
#include "../core/qc_stack.h"
#include "qc_context.h"
#include "qc_probe_calls.h"
#include "qc_probe_patch.h"

#if QC_HAVE_PROBES

/* Static, against the rule: an evaluator can't be told where its state is. */
static struct {
    qc_codemap *map;           /* borrowed; NULL: closed */
    _PyFrameEvalFunction next; /* that was there before */
    bool lost;                 /* another tool has put its own in the place of ours */
    bool wrapped;              /* it was there when we closed, and may go on to ours for ever */
} calls;

static PyObject *evaluate(PyThreadState *thread, _PyInterpreterFrame *frame, int throwing);

/* Nothing is seen, or everything is seen again. */
static void see(bool every)
{
    _PyFrameEvalFunction wanted = every ? evaluate : calls.next;
    if (calls.map != NULL && qc_set_evaluator(wanted, every ? calls.next : evaluate) < 0 &&
        qc_evaluator() != wanted && !calls.lost) {
        calls.lost = true;
        if (calls.map->prober != NULL) {
            qc_store_doubt(calls.map->prober->store,
                           "another tool evaluates Python's frames: contexts may be missing");
        }
    }
}

typedef struct passed {
    PyCodeObject *code; /* strong */
    uint32_t probe;
} passed;

/* The probes that were passed while this thread asks. */
static _Thread_local struct {
    bool asks;
    passed *probes;
    uint32_t count, capacity;
} asking;

static uint32_t askers; /* threads; to look at `asking` takes long */

/* Makes room for one more probe. False when memory ran out: it is as any other, then. */
static bool has_room(void)
{
    if (asking.count == asking.capacity) {
        uint32_t more = 2 * asking.capacity + 8;
        passed *probes =
            qc_realloc(asking.probes, asking.capacity * sizeof *probes, more * sizeof *probes);
        if (probes == NULL) {
            return false;
        }
        asking.probes = probes;
        asking.capacity = more;
    }
    return true;
}

bool qc_probe_calls_passes(qc_link *link, qc_probe *probe)
{
    if (QC_LIKELY(askers == 0) || !asking.asks || (probe->armed && !has_room())) {
        return false;
    }
    if (probe->armed) {
        qc_probe_disarm(link->code, link->twin, probe);
        asking.probes[asking.count].code = (PyCodeObject *)Py_NewRef(link->code);
        asking.probes[asking.count++].probe = (uint32_t)(probe - link->twin->probes);
    }
    return true;
}

static void ask_ends(const qc_tracer *tracer)
{
    asking.asks = false;
    askers--;
    while (asking.count > 0) {
        PyCodeObject *code = asking.probes[--asking.count].code;
        qc_link *link = qc_codemap_find(tracer->state->map, code);
        if (tracer->started && link != NULL && link->twin != NULL) {
            qc_twin_arm_probe(link, asking.probes[asking.count].probe);
        }
        Py_DECREF(code);
    }
    qc_free(asking.probes, asking.capacity * sizeof *asking.probes);
    asking.probes = NULL;
    asking.capacity = 0;
}

/* Calls that the plugin may make where the program has reached its recursion limit. */
enum { CALLS = 50 };

/* Calls function(tracer, frame), which runs Python code that nobody sees, without the exception
 * that may be set: it is set again after it. Gives what the function gives; -1 with an exception
 * that is the program's. */
static int aside(qc_tracer *tracer, int (*function)(qc_tracer *tracer, PyFrameObject *frame),
                 PyFrameObject *frame)
{
    PyThreadState *thread = PyThreadState_Get();
    PyObject *error = qc_error_take();
    PyThreadState_EnterTracing(thread);
    qc_recursion_allow(CALLS);
    asking.asks = true;
    askers++;
    int result = function(tracer, frame);
    ask_ends(tracer);
    qc_recursion_allow(-CALLS);
    PyThreadState_LeaveTracing(thread);
    if (result < 0 && (result = qc_tracer_fail(tracer)) < 0) {
        Py_XDECREF(error);
        return -1;
    }
    qc_error_restore(error);
    return result;
}

/* 1: this frame begins a context, and is to end it. */
static int begin(qc_tracer *tracer, PyFrameObject *frame)
{
    if (frame == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int begins = qc_context_begin(tracer, frame);
    if (begins > 0 && tracer->started) {
        Py_XSETREF(tracer->context_frame, (PyFrameObject *)Py_NewRef(frame));
        return 1;
    }
    return begins < 0 ? -1 : 0;
}

/* Ends the context of this frame, if it is still open. */
static int end(qc_tracer *tracer, PyFrameObject *frame)
{
    if (tracer->context_frame != frame) {
        return 0;
    }
    Py_CLEAR(tracer->context_frame);
    return tracer->context != NULL && tracer->started ? qc_context_end(tracer) : 0;
}

/* Evaluates a frame without seeing the calls in it. */
static PyObject *evaluate_unseen(PyThreadState *thread, _PyInterpreterFrame *frame, int throwing)
{
    _PyFrameEvalFunction next = calls.next;
    see(false);
    PyObject *result = qc_evaluate_by(next, thread, frame, throwing);
    see(true);
    return result;
}

/* Does a context begin with this frame? Then its object, which ends it; a new reference. Else NULL:
 * nobody shall keep an object, and so the frame's variables. *failed: the program is interrupted.
 */
static PyFrameObject *ask(qc_tracer *tracer, PyThreadState *thread, _PyInterpreterFrame *frame,
                          bool *failed)
{
    PyFrameObject *object = qc_coming_frame(thread, frame);
    int begins = aside(tracer, begin, object);
    if (object != NULL) {
        qc_frame_goes_on(object);
    }
    *failed = begins < 0;
    if (begins <= 0) {
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *evaluate(PyThreadState *thread, _PyInterpreterFrame *frame, int throwing)
{
    _PyFrameEvalFunction next = calls.next;
    qc_tracer *tracer = calls.map != NULL ? calls.map->prober : NULL;
    /* Where CPython has its loop go on, calls take no room on C's stack. */
    if (QC_UNLIKELY(qc_stack_is_half_used())) {
        if (tracer != NULL && tracer->context == NULL) {
            qc_store_doubt(tracer->store, "contexts that begin in very deep recursion are missing");
        }
        return evaluate_unseen(thread, frame, throwing);
    }
    if (tracer == NULL || tracer->context != NULL || thread->tracing ||
        qc_iframe_makes_generator(frame)) {
        return qc_evaluate_by(next, thread, frame, throwing);
    }
    Py_INCREF(tracer); /* Python code runs, during which another thread may stop us */
    bool failed;
    PyFrameObject *object = ask(tracer, thread, frame, &failed);
    PyObject *result = object != NULL ? evaluate_unseen(thread, frame, throwing)
                                      : qc_evaluate_by(next, thread, frame, throwing || failed);
    if (object != NULL && aside(tracer, end, object) < 0) {
        Py_CLEAR(result);
    }
    Py_XDECREF(object);
    Py_DECREF(tracer);
    return result;
}

void qc_probe_calls_open(qc_codemap *map)
{
    const qc_tracer *tracer = map != NULL ? map->prober : NULL;
    if (calls.map != NULL || tracer == NULL || !qc_context_is_asked(tracer) ||
        tracer->test_contexts) {
        return;
    }
    calls.map = map;
    calls.lost = false;
    calls.wrapped = calls.wrapped && qc_evaluator() != calls.next;
    if (!calls.wrapped) { /* else it might go on to one that goes on to us */
        calls.next = qc_evaluator();
    }
    see(true);
}

void qc_probe_calls_close(void)
{
    if (calls.map != NULL) {
        bool gone = qc_set_evaluator(calls.next, evaluate) == 0 || qc_evaluator() == calls.next;
        calls.wrapped = !gone;
        calls.map = NULL;
    }
}

#endif
