#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_arming.h"
#include "qc_context.h"
#include "qc_decide.h"
#include "qc_engine_monitoring.h"
#include "qc_flow.h"
#include "qc_session.h"

#if QC_HAVE_MONITORING

/* When an event is wanted. */
enum {
    WHEN_ALWAYS = 1,   /* for lines and for branches */
    WHEN_BRANCHES = 2, /* only with branches */
    GLOBAL = 4,        /* of all code, not of measured code alone */
    PROOF = 8,         /* only of code with places marked QC_MARK_PROOF */
    CONTEXT = 16,      /* only if functions begin contexts, and of those that did */
};

typedef struct event_entry {
    const char *name;
    unsigned when;
    PyMethodDef method;
} event_entry;

static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_resume(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_throw(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_line(PyObject *self, PyObject *const *args, Py_ssize_t count);
#if QC_HAVE_BRANCH_SIDES
static PyObject *on_left(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_right(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_jump(PyObject *self, PyObject *const *args, Py_ssize_t count);
#endif
static PyObject *on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_yield(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_return(PyObject *self, PyObject *const *args, Py_ssize_t count);

#define CALLBACK(name) {#name, (PyCFunction)(void (*)(void))(name), METH_FASTCALL, NULL}

/* PyCFunction keeps a pointer to its PyMethodDef, so the table must live as long as the module's
 * code; it is never written to. */
static event_entry EVENTS[] = {
    {"PY_START", WHEN_ALWAYS | GLOBAL, CALLBACK(on_start)},
    {"PY_RESUME", WHEN_ALWAYS | GLOBAL, CALLBACK(on_resume)},
    {"PY_THROW", WHEN_ALWAYS | GLOBAL, CALLBACK(on_throw)},
    {"LINE", WHEN_ALWAYS, CALLBACK(on_line)},
#if QC_HAVE_BRANCH_SIDES
    {"BRANCH_LEFT", WHEN_BRANCHES, CALLBACK(on_left)},
    {"BRANCH_RIGHT", WHEN_BRANCHES, CALLBACK(on_right)},
#endif
    {"PY_RETURN", WHEN_BRANCHES | CONTEXT, CALLBACK(on_return)},
    {"PY_YIELD", CONTEXT, CALLBACK(on_yield)},
#if QC_HAVE_BRANCH_SIDES
    {"JUMP", WHEN_BRANCHES | PROOF, CALLBACK(on_jump)},
#endif
    {"PY_UNWIND", WHEN_BRANCHES | CONTEXT | GLOBAL, CALLBACK(on_unwind)},
};

/* Tool ids, those meant for nobody first. A place that a tool has switched off stays off for who
 * takes the id after it: so not the one meant for coverage, which coverage.py's own core takes.
 * Sessions take the two of each pair the other way round, as they come and go beside a collector.
 */
static const int TOOL_IDS[] = {3, 4, 1, 5, 2, 0};

/* ------------------------------------------------------------------ meeting code */

/* Sees the places of a code object again; also one that was never armed. qc_store's `rearm`. */
static int rearm(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    if (tracer == NULL || !tracer->started) {
        return 0;
    }
    if ((link->armed && qc_disarm(tracer, link) < 0) || qc_arm(tracer, link) < 0) {
        return -1;
    }
    if (link->hides_line) {
        (void)qc_code_arm_start(link->code, tracer->tool_id);
    }
    return 0;
}

/* Decides about a code object, and arms it if it is measured. */
static int admit(qc_tracer *tracer, qc_link *link)
{
    qc_verdict verdict;
    if (qc_decide(tracer, link->code, PyEval_GetFrame(), &verdict) < 0) {
        return -1;
    }
    if (!tracer->started) {
        qc_verdict_clear(&verdict); /* deciding runs Python: meanwhile, another thread stopped us */
        return 0;
    }
    if (verdict.file_tracer != NULL) {
        qc_verdict_clear(&verdict);
        PyErr_SetString(PyExc_RuntimeError,
                        "the monitoring engine can't measure files of a plugin");
        return -1;
    }
    qc_record_detach(link); /* another store's */
    link->begins_context = false;
    if (verdict.file != NULL) {
        link->hides_line = qc_code_hides_first_line(link->code);
        if (qc_record_attach(&tracer->store->records, link, verdict.file) < 0) {
            return -1;
        }
        if (!qc_record_is_complete(link->record) && qc_arm(tracer, link) < 0) {
            return -1;
        }
    }
    link->epoch = tracer->store->epoch;
    return 0;
}

/* ------------------------------------------------------------------ callbacks */

/* A code object begins or goes on: met for the first time by this store? -1 with an exception that
 * is the program's. */
static int meet(qc_tracer *tracer, PyCodeObject *code)
{
    if (!tracer->started) {
        return 0;
    }
    tracer->store->activity = true;
    qc_link *link = qc_codemap_get(tracer->store->map, code);
    if (link != NULL && link->epoch == tracer->store->epoch) {
        return 0;
    }
    if (link != NULL) {
        link->tools |= (uint8_t)(1u << tracer->tool_id);
    }
    if (link == NULL || admit(tracer, link) < 0) {
        return qc_tracer_fail(tracer);
    }
    return 0;
}

/* Does this thread's hit not count? Then the place stays armed. */
static inline bool is_foreign(const qc_tracer *tracer)
{
    qc_session *session = tracer->store->session;
    return QC_UNLIKELY(session != NULL) && qc_session_ignores_thread(session);
}

static inline PyObject *disable(qc_tracer *tracer)
{
    return Py_NewRef(is_foreign(tracer) ? Py_None : tracer->state->disable);
}

/* The record that a callback's hits go to; NULL for none. */
static inline qc_record *record_of(qc_tracer *tracer, PyObject *code)
{
    qc_link *link = qc_codemap_find(tracer->store->map, (PyCodeObject *)code);
    bool known = link != NULL && link->epoch == tracer->store->epoch;
    return known && !is_foreign(tracer) ? link->record : NULL;
}

/* A hit whose place is the event's offset. */
static inline void hit_offset(qc_tracer *tracer, PyObject *const *args, unsigned flag)
{
    qc_record *record = record_of(tracer, args[0]);
    if (QC_LIKELY(record != NULL)) {
        qc_record_hit(record, (uint32_t)PyLong_AsUnsignedLongMask(args[1]) / 2, flag);
    }
}

static inline PyObject *on_offset(PyObject *self, PyObject *const *args, unsigned flag)
{
    hit_offset((qc_tracer *)self, args, flag);
    return disable((qc_tracer *)self);
}

/* A frame of code that may begin a context begins or goes on: ask, and see how it ends then. */
static int try_context(qc_tracer *tracer, PyCodeObject *code)
{
    PyFrameObject *frame = PyEval_GetFrame();
    if (!tracer->started || tracer->context != NULL || frame == NULL) {
        return 0;
    }
    int begins = qc_context_begin(tracer, frame);
    qc_link *link = begins > 0 ? qc_codemap_find(tracer->store->map, code) : NULL;
    if (link == NULL || !tracer->started) {
        return begins < 0 ? -1 : 0;
    }
    Py_XSETREF(tracer->context_frame, (PyFrameObject *)Py_NewRef(frame));
    if (link->begins_context) {
        return 0;
    }
    link->begins_context = true;
    return qc_arm(tracer, link);
}

/* A frame begins or goes on: its code is met. 1 if this is of interest every time, else 0; -1 with
 * an exception that is the program's. */
static int enter(qc_tracer *tracer, PyCodeObject *code)
{
    if (meet(tracer, code) < 0) {
        return -1;
    }
    if (QC_LIKELY(!qc_context_is_asked(tracer)) || !qc_context_may_begin(tracer, code)) {
        return 0;
    }
    return try_context(tracer, code) < 0 && qc_tracer_fail(tracer) < 0 ? -1 : 1;
}

/* A frame is left: did it begin a context? As `enter`. */
static int leave(qc_tracer *tracer, PyObject *code)
{
    qc_link *link = qc_codemap_find(tracer->store->map, (PyCodeObject *)code);
    bool begins = link != NULL && link->begins_context;
    if (QC_UNLIKELY(tracer->context_frame != NULL) && PyEval_GetFrame() == tracer->context_frame) {
        Py_INCREF(tracer);
        Py_CLEAR(tracer->context_frame);
        bool failed = tracer->context != NULL && tracer->started && qc_context_end(tracer) < 0 &&
                      qc_tracer_fail(tracer) < 0;
        Py_DECREF(tracer);
        return failed ? -1 : begins;
    }
    return begins;
}

/* CPython does not keep a callback alive while it calls it, and some run Python code, during which
 * another thread may stop us. So those hold the tracer. */
static qc_tracer *hold(PyObject *self)
{
    return (qc_tracer *)Py_NewRef(self);
}

/* What such a callback returns after `enter` or `leave`. */
static PyObject *release(qc_tracer *tracer, int again)
{
    PyObject *result = again < 0 ? NULL : again ? Py_NewRef(Py_None) : disable(tracer);
    Py_DECREF(tracer);
    return result;
}

static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = hold(self);
    PyCodeObject *code = (PyCodeObject *)args[0];
    bool second = qc_armed_link(tracer, code) != NULL;
    int again = enter(tracer, code);
    qc_link *link = again == 0 ? qc_armed_link(tracer, code) : NULL;
    return release(tracer, link != NULL ? qc_called(tracer, link, second) : again);
}

/* Where a frame goes on that was suspended before we started, its line has no event. */
static PyObject *on_resume(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = hold(self);
    int again = enter(tracer, (PyCodeObject *)args[0]);
    if (tracer->store->branch) {
        qc_session *session = tracer->store->session;
        hit_offset(tracer, args, QC_HIT_PASSED);
        /* A global event, which setting local ones does not bring back. */
        again |= session != NULL && session->rearm && !session->in_place;
    }
    return release(tracer, again);
}

/* PY_THROW can't be disabled. */
static PyObject *on_throw(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = hold(self);
    int again = enter(tracer, (PyCodeObject *)args[0]);
    Py_DECREF(tracer);
    return again < 0 ? NULL : Py_NewRef(Py_None);
}

#if QC_HAVE_BRANCH_SIDES
/* The line of an exception handler: where did the exception come from? True: ask again next time.
 */
static bool landing(qc_record *record, PyCodeObject *code, uint32_t unit)
{
    PyObject *exception = qc_current_exception();
    int lasti = exception != NULL ? qc_exception_lasti(exception, code) : -1;
    return qc_record_landing(record, code, lasti, unit);
}
#endif

static PyObject *on_line(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = (qc_tracer *)self;
    qc_record *record = record_of(tracer, args[0]);
    if (QC_LIKELY(record != NULL)) {
        uint32_t unit = (uint32_t)qc_current_lasti() / 2;
        qc_record_hit(record, unit, QC_HIT_LINE);
#if QC_HAVE_BRANCH_SIDES
        if (QC_UNLIKELY(qc_hits_has(&record->hits, unit, QC_MARK_HANDLER)) &&
            landing(record, (PyCodeObject *)args[0], unit)) {
            Py_RETURN_NONE;
        }
#endif
    }
    return disable(tracer);
}

#if QC_HAVE_BRANCH_SIDES
static PyObject *on_left(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    return on_offset(self, args, QC_HIT_LEFT);
}

/* The event of an async for's end comes also when its iterator raised something else. */
static bool is_raising(qc_tracer *tracer, PyObject *const *args)
{
    qc_record *record = record_of(tracer, args[0]);
    if (record == NULL ||
        qc_record_has_jump(record, (uint32_t)PyLong_AsUnsignedLongMask(args[1]) / 2)) {
        return false;
    }
    PyObject *exception = qc_current_exception();
    return exception != NULL && !PyErr_GivenExceptionMatches(exception, PyExc_StopAsyncIteration);
}

static PyObject *on_right(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    if (QC_UNLIKELY(is_raising((qc_tracer *)self, args))) {
        Py_RETURN_NONE;
    }
    return on_offset(self, args, QC_HIT_RIGHT);
}

static PyObject *on_jump(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    return on_offset(self, args, QC_HIT_PASSED);
}
#endif

static PyObject *on_return(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = hold(self);
    if (tracer->store->branch) {
        hit_offset(tracer, args, QC_HIT_RETURN);
    }
    return release(tracer, leave(tracer, args[0]));
}

static PyObject *on_yield(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = hold(self);
    return release(tracer, leave(tracer, args[0]));
}

#if QC_HAVE_BRANCH_SIDES
/* PY_UNWIND can't be disabled, nor be had for measured code alone. Where an exception is raised
 * again its offset is that of the RERAISE; where it was raised first, its traceback tells; and
 * where the frame says it is, a `with` having raised it again, its lasti. */
static void hit_unwind(qc_tracer *tracer, PyObject *const *args)
{
    qc_record *record = record_of(tracer, args[0]);
    if (record != NULL) {
        uint32_t unit = (uint32_t)PyLong_AsUnsignedLongMask(args[1]) / 2;
        qc_record_hit(record, unit, QC_HIT_UNWIND);
        int lasti = qc_exception_lasti(args[2], (PyCodeObject *)args[0]);
        if (lasti >= 0) {
            qc_record_hit(record, (uint32_t)lasti / 2, QC_HIT_UNWIND);
        }
        uint32_t left_at = (uint32_t)qc_current_lasti() / 2;
        if (left_at != unit) {
            qc_record_hit(record, left_at, QC_HIT_PASSED);
        }
    }
}
#endif

static PyObject *on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = (qc_tracer *)self;
#if QC_HAVE_BRANCH_SIDES
    if (tracer->store->branch) {
        hit_unwind(tracer, args);
    }
#endif
    return leave(tracer, args[0]) < 0 ? NULL : Py_NewRef(Py_None);
}

/* ------------------------------------------------------------------ start and stop */

static int take_tool_id(qc_tracer *tracer)
{
    size_t swap = tracer->store->session != NULL;
    for (size_t k = 0; k < Py_ARRAY_LENGTH(TOOL_IDS); k++) {
        int id = TOOL_IDS[k ^ swap];
        if (qc_monitoring_call(tracer, "use_tool_id", "(is)", id, "quickcover") == 0) {
            tracer->tool_id = id;
            return 0;
        }
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear();
    }
    PyErr_SetString(PyExc_RuntimeError, "all sys.monitoring tool ids are in use by other tools; "
                                        "set QUICKCOVER_ENGINE=trace to measure without one");
    return -1;
}

/* Adds an event to the set of those that are wanted in the same way. */
static void want(qc_tracer *tracer, const event_entry *entry, long bit, long *global)
{
    bool contexts = entry->when & CONTEXT && qc_context_is_asked(tracer);
    bool measured =
        entry->when & WHEN_ALWAYS || (entry->when & WHEN_BRANCHES && tracer->store->branch);
    if (entry->when & GLOBAL) {
        *global |= measured || contexts ? bit : 0;
        return;
    }
    if (contexts) {
        tracer->context_events |= bit;
    }
    if (measured) {
        *(entry->when & PROOF ? &tracer->proof_events : &tracer->local_events) |= bit;
    }
}

/* Registers the callbacks; sets *global, and the tracer's sets of local events. */
static int register_callbacks(qc_tracer *tracer, long *global)
{
    *global = tracer->local_events = tracer->proof_events = tracer->context_events = 0;
    for (size_t k = 0; k < Py_ARRAY_LENGTH(EVENTS); k++) {
        event_entry *entry = &EVENTS[k];
        long bit = qc_monitoring_event(tracer, entry->name);
        PyObject *callback = bit >= 0 ? PyCFunction_New(&entry->method, (PyObject *)tracer) : NULL;
        if (callback == NULL || qc_monitoring_call(tracer, "register_callback", "(ilN)",
                                                   tracer->tool_id, bit, callback) < 0) {
            return -1;
        }
        want(tracer, entry, bit, global);
    }
    tracer->revive_events = qc_monitoring_event(tracer, "PY_RETURN");
    tracer->tool_id_object = PyLong_FromLong(tracer->tool_id);
    tracer->set_local_events =
        PyObject_GetAttrString(tracer->state->monitoring, "set_local_events");
    return PyErr_Occurred() ? -1 : 0;
}

/* Takes the callbacks off, sets no events, gives the tool id back. Goes on after errors. */
static int give_back(qc_tracer *tracer)
{
    int result = qc_monitoring_call(tracer, "set_events", "(ii)", tracer->tool_id, 0);
    for (size_t k = 0; k < Py_ARRAY_LENGTH(EVENTS) && result == 0; k++) {
        long bit = qc_monitoring_event(tracer, EVENTS[k].name);
        result = bit < 0 ? -1
                         : qc_monitoring_call(tracer, "register_callback", "(ilO)", tracer->tool_id,
                                              bit, Py_None);
    }
    if (result == 0) {
        result = qc_monitoring_call(tracer, "free_tool_id", "(i)", tracer->tool_id);
    }
    tracer->tool_id = -1;
    Py_CLEAR(tracer->tool_id_object);
    Py_CLEAR(tracer->set_local_events);
    return result;
}

/* A code object met by an earlier start: if this store measures it, it goes on; that of another
 * store must be met again. */
static int revive_for_start(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    bool known = link->epoch == tracer->store->epoch;
    if (known && link->record == NULL && !link->begins_context) {
        return 0;
    }
    return qc_revive(tracer, link) < 0 || (known && qc_arm(tracer, link) < 0) ? -1 : 0;
}

/* The same for one that a session met, or, if we are a session's, that others met: with this tool
 * id some of its places may be switched off. */
static int revive_for_others(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    return link->tools & 1u << tracer->tool_id ? qc_revive_code(tracer, link->code) : 0;
}

static int revive_all(qc_tracer *tracer)
{
    qc_codemap *map = tracer->store->map;
    qc_state *state = tracer->state;
    qc_codemap *other = map == state->map ? state->session_map : state->map;
    return qc_codemap_each(other, revive_for_others, tracer) < 0 ||
                   qc_codemap_each(map, revive_for_start, tracer) < 0
               ? -1
               : 0;
}

static int disarm_for_stop(qc_link *link, void *context)
{
    return link->armed ? qc_disarm(context, link) : 0;
}

static int monitoring_stop(qc_tracer *tracer)
{
    if (tracer->tool_id < 0) {
        return 0;
    }
    PyObject *error = qc_error_take();
    int result = 0;
    tracer->store->map->monitors -= tracer->started;
    tracer->started = false;
    Py_CLEAR(tracer->context);
    Py_CLEAR(tracer->context_frame);
    tracer->store->rearm = tracer->store->arm_hits = NULL;
    tracer->store->rearm_context = NULL;
    if (qc_codemap_each(tracer->store->map, disarm_for_stop, tracer) < 0 || give_back(tracer) < 0) {
        result = -1;
    }
    Py_XDECREF(error);
    return result;
}

static int monitoring_start(qc_tracer *tracer)
{
    long global;
    if (tracer->store->branch && !QC_HAVE_BRANCH_SIDES) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the monitoring engine can't measure branches on this Python");
        return -1;
    }
    if (take_tool_id(tracer) < 0) {
        return -1;
    }
    if (register_callbacks(tracer, &global) == 0 && revive_all(tracer) == 0) {
        tracer->store->rearm = rearm;
        tracer->store->arm_hits = qc_arm_hits;
        tracer->store->rearm_context = tracer;
        tracer->started = true; /* events come from now on */
        tracer->store->map->monitors++;
        if (qc_monitoring_call(tracer, "set_events", "(il)", tracer->tool_id, global) == 0) {
            return 0;
        }
    }
    PyObject *error = qc_error_take();
    (void)monitoring_stop(tracer);
    qc_error_restore(error);
    return -1;
}

static void monitoring_release(qc_tracer *tracer)
{
    Py_CLEAR(tracer->context);
    Py_CLEAR(tracer->context_frame);
    if (tracer->store != NULL && tracer->store->rearm_context == tracer) {
        tracer->store->rearm_context = NULL;
    }
}

const qc_engine qc_engine_monitoring = {
    .name = "monitoring",
    .start = monitoring_start,
    .stop = monitoring_stop,
    .event = NULL,
    .release = monitoring_release,
};

static PyObject *monitoring_tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return qc_tracer_new(type, &qc_engine_monitoring, args, kwargs);
}

PyDoc_STRVAR(monitoring_tracer_doc,
             "MonitoringTracer(*, test_contexts=False, chained=False)\n--\n\n"
             "Measures the whole process through sys.monitoring. With test_contexts,\n"
             "should_start_context is asked about functions that are named as tests only.");

static PyMemberDef monitoring_tracer_members[] = {
    {"tool_id", T_INT, offsetof(qc_tracer, tool_id), READONLY, "of sys.monitoring; -1 for none"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot monitoring_tracer_slots[] = {
    {Py_tp_doc, (void *)monitoring_tracer_doc},
    {Py_tp_new, monitoring_tracer_new},
    {Py_tp_members, monitoring_tracer_members},
    {0, NULL},
};

PyType_Spec qc_monitoring_tracer_spec = {
    .name = "quickcover._native.MonitoringTracer",
    .basicsize = sizeof(qc_tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = monitoring_tracer_slots,
};

#endif
