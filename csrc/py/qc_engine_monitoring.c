#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_decide.h"
#include "qc_engine_monitoring.h"
#include "qc_flow.h"

#if QC_HAVE_MONITORING

/* When an event is wanted. */
enum {
    WHEN_ALWAYS = 1,   /* for lines and for branches */
    WHEN_BRANCHES = 2, /* only with branches */
    GLOBAL = 4,        /* of all code, not of measured code alone */
    SOME = 8,          /* only of code with places marked QC_MARK_PROOF */
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
static PyObject *on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t count);
static PyObject *on_jump(PyObject *self, PyObject *const *args, Py_ssize_t count);
#endif
static PyObject *on_return(PyObject *self, PyObject *const *args, Py_ssize_t count);

#define CALLBACK(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

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
    {"PY_RETURN", WHEN_BRANCHES, CALLBACK(on_return)},
#if QC_HAVE_BRANCH_SIDES
    {"JUMP", WHEN_BRANCHES | SOME, CALLBACK(on_jump)},
    {"PY_UNWIND", WHEN_BRANCHES | GLOBAL, CALLBACK(on_unwind)},
#endif
};

/* Tool ids, the one meant for coverage first, those meant for others last. */
static const int TOOL_IDS[] = {1, 3, 4, 5, 2, 0};

/* ------------------------------------------------------------------ calls of sys.monitoring */

/* Calls set_local_events(tool, code, events). */
static int set_local_events(qc_tracer *tracer, PyCodeObject *code, PyObject *events)
{
    PyObject *args[] = {tracer->tool_id_object, (PyObject *)code, events};
    PyObject *result = PyObject_Vectorcall(tracer->set_local_events, args, 3, NULL);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* Code that can't be instrumented (Cython's, say) is left alone: it has no lines of its own. */
static int forgive_system_error(int result)
{
    if (result < 0 && PyErr_ExceptionMatches(PyExc_SystemError)) {
        PyErr_Clear();
        return 0;
    }
    return result;
}

static int call_monitoring(qc_tracer *tracer, const char *name, const char *format, ...)
{
    PyObject *function = PyObject_GetAttrString(tracer->state->monitoring, name);
    va_list values;
    va_start(values, format);
    PyObject *args = function != NULL ? Py_VaBuildValue(format, values) : NULL;
    va_end(values);
    PyObject *result = args != NULL ? PyObject_CallObject(function, args) : NULL;
    Py_XDECREF(function);
    Py_XDECREF(args);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* The number of an event in sys.monitoring.events; -1 with an exception set. */
static long event_bit(qc_tracer *tracer, const char *name)
{
    PyObject *events = PyObject_GetAttrString(tracer->state->monitoring, "events");
    PyObject *value = events != NULL ? PyObject_GetAttrString(events, name) : NULL;
    long bit = value != NULL ? PyLong_AsLong(value) : -1;
    Py_XDECREF(events);
    Py_XDECREF(value);
    return bit;
}

/* ------------------------------------------------------------------ arming */

static int arm(qc_tracer *tracer, qc_link *link)
{
    link->armed = true;
    bool some = link->record != NULL && link->record->marks & QC_MARK_PROOF;
    PyObject *events = some ? tracer->more_events_object : tracer->events_object;
    return forgive_system_error(set_local_events(tracer, link->code, events));
}

static int disarm(qc_tracer *tracer, qc_link *link)
{
    link->armed = false;
    return forgive_system_error(set_local_events(tracer, link->code, tracer->no_events_object));
}

/* Sees the places of a code object again; also one that was never armed. qc_store's `rearm`. */
static int rearm(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    if (tracer == NULL || !tracer->started) {
        return 0;
    }
    if (link->armed && disarm(tracer, link) < 0) {
        return -1;
    }
    return arm(tracer, link);
}

/* Makes the next start of a code object an event again: local events come and go, which makes
 * CPython forget what was switched off, as no global events are set now. */
static int revive(qc_tracer *tracer, qc_link *link)
{
    if (forgive_system_error(set_local_events(tracer, link->code, tracer->start_events_object)) <
        0) {
        return -1;
    }
    return disarm(tracer, link);
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
    if (verdict.file != NULL) {
        if (qc_record_attach(&tracer->store->records, link, verdict.file) < 0) {
            return -1;
        }
        if (!qc_record_is_complete(link->record) && arm(tracer, link) < 0) {
            return -1;
        }
    }
    link->epoch = tracer->store->epoch;
    return 0;
}

/* Annotations as functions (3.14) are no code of the program: coverage.py leaves them out. */
static bool is_annotate(PyCodeObject *code)
{
    return PyUnicode_CompareWithASCIIString(code->co_name, "__annotate__") == 0;
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
    if (link == NULL || (!is_annotate(code) && admit(tracer, link) < 0)) {
        return qc_tracer_fail(tracer);
    }
    return 0;
}

static inline PyObject *disable(qc_tracer *tracer)
{
    return Py_NewRef(tracer->state->disable);
}

/* The record that a callback's hits go to; NULL for none. */
static inline qc_record *record_of(qc_tracer *tracer, PyObject *code)
{
    qc_link *link = qc_codemap_find(tracer->store->map, (PyCodeObject *)code);
    return link != NULL && link->epoch == tracer->store->epoch ? link->record : NULL;
}

/* A hit whose place is the event's offset. */
static inline PyObject *on_offset(PyObject *self, PyObject *const *args, unsigned flag)
{
    qc_tracer *tracer = (qc_tracer *)self;
    qc_record *record = record_of(tracer, args[0]);
    if (QC_LIKELY(record != NULL)) {
        qc_record_hit(record, (uint32_t)PyLong_AsUnsignedLongMask(args[1]) / 2, flag);
    }
    return disable(tracer);
}

static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = (qc_tracer *)self;
    return meet(tracer, (PyCodeObject *)args[0]) == 0 ? disable(tracer) : NULL;
}

/* Where a frame goes on that was suspended before we started, its line has no event. */
static PyObject *on_resume(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = (qc_tracer *)self;
    if (meet(tracer, (PyCodeObject *)args[0]) < 0) {
        return NULL;
    }
    return tracer->store->branch ? on_offset(self, args, QC_HIT_PASSED) : disable(tracer);
}

/* PY_THROW can't be disabled. */
static PyObject *on_throw(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    return meet((qc_tracer *)self, (PyCodeObject *)args[0]) == 0 ? Py_NewRef(Py_None) : NULL;
}

#if QC_HAVE_BRANCH_SIDES
/* The line of an exception handler: where did the exception come from? True: ask again next time.
 */
static bool landing(qc_record *record, PyObject *const *args, uint32_t unit)
{
    PyObject *exception = qc_current_exception();
    PyCodeObject *code = (PyCodeObject *)args[0];
    int lasti = exception != NULL ? qc_exception_lasti(exception, code) : -1;
    return qc_record_landing(record, code, lasti, unit, (int)PyLong_AsLong(args[1]));
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
            landing(record, args, unit)) {
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

static PyObject *on_right(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    return on_offset(self, args, QC_HIT_RIGHT);
}

static PyObject *on_jump(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    return on_offset(self, args, QC_HIT_PASSED);
}
#endif

static PyObject *on_return(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    return on_offset(self, args, QC_HIT_RETURN);
}

#if QC_HAVE_BRANCH_SIDES
/* PY_UNWIND can't be disabled, nor be had for measured code alone. Where an exception is raised
 * again its offset is that of the RERAISE; where it was raised first, its traceback tells; and
 * where the frame says it is, a `with` having raised it again, its lasti. */
static PyObject *on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    qc_tracer *tracer = (qc_tracer *)self;
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
    Py_RETURN_NONE;
}
#endif

/* ------------------------------------------------------------------ start and stop */

static int take_tool_id(qc_tracer *tracer)
{
    for (size_t k = 0; k < Py_ARRAY_LENGTH(TOOL_IDS); k++) {
        if (call_monitoring(tracer, "use_tool_id", "(is)", TOOL_IDS[k], "quickcover") == 0) {
            tracer->tool_id = TOOL_IDS[k];
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

/* Registers the callbacks; sets *global, and the tracer's sets of local events. */
static int register_callbacks(qc_tracer *tracer, long *global)
{
    long local = 0, some = 0;
    *global = 0;
    for (size_t k = 0; k < Py_ARRAY_LENGTH(EVENTS); k++) {
        event_entry *entry = &EVENTS[k];
        if (!(entry->when & WHEN_ALWAYS) && !tracer->store->branch) {
            continue;
        }
        long bit = event_bit(tracer, entry->name);
        PyObject *callback = bit >= 0 ? PyCFunction_New(&entry->method, (PyObject *)tracer) : NULL;
        if (callback == NULL || call_monitoring(tracer, "register_callback", "(ilN)",
                                                tracer->tool_id, bit, callback) < 0) {
            return -1;
        }
        *(entry->when & GLOBAL ? global : entry->when & SOME ? &some : &local) |= bit;
    }
    tracer->events_object = PyLong_FromLong(local);
    tracer->more_events_object = PyLong_FromLong(local | some);
    tracer->start_events_object = PyLong_FromLong(event_bit(tracer, "PY_RETURN"));
    tracer->no_events_object = PyLong_FromLong(0);
    tracer->tool_id_object = PyLong_FromLong(tracer->tool_id);
    tracer->set_local_events =
        PyObject_GetAttrString(tracer->state->monitoring, "set_local_events");
    return PyErr_Occurred() ? -1 : 0;
}

/* Takes the callbacks off, sets no events, gives the tool id back. Goes on after errors. */
static int give_back(qc_tracer *tracer)
{
    int result = call_monitoring(tracer, "set_events", "(ii)", tracer->tool_id, 0);
    for (size_t k = 0; k < Py_ARRAY_LENGTH(EVENTS) && result == 0; k++) {
        long bit = event_bit(tracer, EVENTS[k].name);
        result = bit < 0 ? -1
                         : call_monitoring(tracer, "register_callback", "(ilO)", tracer->tool_id,
                                           bit, Py_None);
    }
    if (result == 0) {
        result = call_monitoring(tracer, "free_tool_id", "(i)", tracer->tool_id);
    }
    tracer->tool_id = -1;
    Py_CLEAR(tracer->events_object);
    Py_CLEAR(tracer->more_events_object);
    Py_CLEAR(tracer->start_events_object);
    Py_CLEAR(tracer->no_events_object);
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
    if (known && link->record == NULL) {
        return 0;
    }
    return revive(tracer, link) < 0 || (known && arm(tracer, link) < 0) ? -1 : 0;
}

static int disarm_for_stop(qc_link *link, void *context)
{
    return link->armed ? disarm(context, link) : 0;
}

static int monitoring_stop(qc_tracer *tracer)
{
    if (tracer->tool_id < 0) {
        return 0;
    }
    PyObject *error = qc_error_take();
    int result = 0;
    tracer->started = false;
    tracer->store->rearm = NULL;
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
    if (register_callbacks(tracer, &global) == 0 &&
        qc_codemap_each(tracer->store->map, revive_for_start, tracer) == 0) {
        tracer->store->rearm = rearm;
        tracer->store->rearm_context = tracer;
        tracer->started = true; /* events come from now on */
        if (call_monitoring(tracer, "set_events", "(il)", tracer->tool_id, global) == 0) {
            return 0;
        }
    }
    PyObject *error = qc_error_take();
    (void)monitoring_stop(tracer);
    PyErr_Clear();
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
    return -1;
}

static void monitoring_release(qc_tracer *tracer)
{
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

static PyObject *monitoring_tracer_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                                       PyObject *Py_UNUSED(kwargs))
{
    return qc_tracer_new(type, &qc_engine_monitoring);
}

PyDoc_STRVAR(monitoring_tracer_doc, "MonitoringTracer()\n--\n\n"
                                    "Measures the whole process through sys.monitoring.");

static PyType_Slot monitoring_tracer_slots[] = {
    {Py_tp_doc, (void *)monitoring_tracer_doc},
    {Py_tp_new, monitoring_tracer_new},
    {0, NULL},
};

PyType_Spec qc_monitoring_tracer_spec = {
    .name = "quickcover._native.MonitoringTracer",
    .basicsize = sizeof(qc_tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = monitoring_tracer_slots,
};

#endif
