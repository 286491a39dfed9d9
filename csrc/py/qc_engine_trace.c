#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_bytecode.h"
#include "qc_context.h"
#include "qc_decide.h"
#include "qc_engine_trace.h"
#include "qc_probe_slots.h"
#include "qc_session.h"
#include "qc_thread.h"
#include "qc_trace_record.h"

typedef struct qc_trace_frame {
    PyFrameObject *frame; /* borrowed: compared, never followed */
    PyCodeObject *code;   /* strong: keeps the link alive if the frame ends unseen */
    qc_link *link;
    qc_file *file; /* NULL: not measured */
    int32_t last_line;
    uint16_t last; /* the same as a short number; QC_TRACE_ENTRY throughout without branches */
    bool started_context;
    PyObject *disposition, *file_tracer; /* of a plugin, strong; else NULL */
} qc_trace_frame;

static int on_event(PyObject *self, PyFrameObject *frame, int what, PyObject *arg);

/* ------------------------------------------------------------------ decisions */

/* A new example: what the session's store has decided goes on, with nothing seen yet. */
static bool goes_on(qc_tracer *tracer, qc_link *link)
{
    if (tracer->store->session == NULL || link->epoch != tracer->store->epoch ||
        link->trace == NULL) {
        return false;
    }
    qc_trace_record_renew(link->trace);
    link->trace->epoch = tracer->store->round;
    return true;
}

/* Makes the link's decision that of this tracer's store in this round. 0, or -1. */
static int decide(qc_tracer *tracer, qc_link *link, PyFrameObject *frame, qc_verdict *verdict)
{
    if (qc_decide(tracer, link->code, frame, verdict) < 0) {
        return -1;
    }
    qc_trace_record *record = qc_trace_record_get(link);
    if (record == NULL ||
        (verdict->file != NULL && qc_trace_record_prepare(record, link->code) < 0)) {
        qc_verdict_clear(verdict);
        return -1;
    }
    if (verdict->file_tracer != NULL) {
        record->epoch = 0; /* what a plugin says is for this call alone */
        return 0;
    }
    qc_trace_record_renew(record);
    record->file = verdict->file;
    record->epoch = tracer->store->round;
    if (tracer->store->session != NULL) {
        link->epoch = tracer->store->epoch;
    }
    return 0;
}

/* After a renewal, or another store's decision: makes the record that of this entry's file.
 * 1, 0 if that can't be, or -1 with an exception set. */
static int refresh(qc_tracer *tracer, qc_trace_frame *entry)
{
    qc_verdict verdict;
    if (goes_on(tracer, entry->link)) {
        return entry->link->trace->file == entry->file;
    }
    if (decide(tracer, entry->link, entry->frame, &verdict) < 0) {
        return -1;
    }
    bool same = verdict.file == entry->file && verdict.file_tracer == NULL;
    qc_verdict_clear(&verdict);
    return same;
}

/* ------------------------------------------------------------------ frames */

/* The place of a frame's entry, counted from 1; 0 if it has none. */
static uint32_t place_of(const qc_tracer *tracer, const PyFrameObject *frame)
{
    uint32_t place = tracer->frame_count;
    while (place > 0 && tracer->frames[place - 1].frame != frame) {
        place--;
    }
    return place;
}

static qc_trace_frame *find_deeper(qc_tracer *tracer, PyFrameObject *frame)
{
    uint32_t place = place_of(tracer, frame);
    if (place == 0) {
        return NULL;
    }
    /* A greenlet switch, most likely: this frame's events come next. */
    qc_trace_frame *top = &tracer->frames[tracer->frame_count - 1];
    qc_trace_frame found = tracer->frames[place - 1];
    tracer->frames[place - 1] = *top;
    *top = found;
    return top;
}

/* The entry of a frame, made the top one; NULL if its call was not seen. */
static inline qc_trace_frame *find_frame(qc_tracer *tracer, PyFrameObject *frame)
{
    if (QC_LIKELY(tracer->frame_count > 0)) {
        qc_trace_frame *top = &tracer->frames[tracer->frame_count - 1];
        return QC_LIKELY(top->frame == frame) ? top : find_deeper(tracer, frame);
    }
    return NULL;
}

static int grow_frames(qc_tracer *tracer)
{
    uint32_t capacity = tracer->frame_capacity ? tracer->frame_capacity * 2 : 64;
    qc_trace_frame *frames =
        qc_realloc(tracer->frames, tracer->frame_capacity * sizeof(qc_trace_frame),
                   capacity * sizeof(qc_trace_frame));
    if (frames == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    tracer->frames = frames;
    tracer->frame_capacity = capacity;
    return 0;
}

static void pop_frame(qc_tracer *tracer)
{
    qc_trace_frame top = tracer->frames[--tracer->frame_count];
    Py_DECREF(top.code);
    Py_XDECREF(top.disposition);
    Py_XDECREF(top.file_tracer);
}

static bool is_running(const qc_trace_frame *entry)
{
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    while (frame != NULL && !(frame == entry->frame && qc_frame_code(frame) == entry->code)) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return frame != NULL;
}

/* Drops the entries of frames that ended while this tracer was stopped. */
static void drop_ended_frames(qc_tracer *tracer)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < tracer->frame_count; k++) {
        qc_trace_frame entry = tracer->frames[k];
        if (is_running(&entry)) {
            tracer->frames[kept++] = entry;
        } else {
            Py_DECREF(entry.code);
            Py_XDECREF(entry.disposition);
            Py_XDECREF(entry.file_tracer);
        }
    }
    tracer->frame_count = kept;
}

/* ------------------------------------------------------------------ events */

static int on_call(qc_tracer *tracer, PyFrameObject *frame)
{
    PyCodeObject *code = qc_frame_code(frame);
    qc_verdict verdict = {0};
    int started = 0;
    if (QC_UNLIKELY(tracer->frame_count == tracer->frame_capacity) && grow_frames(tracer) < 0) {
        return -1;
    }
    if (QC_UNLIKELY(qc_context_is_asked(tracer) && tracer->context == NULL) &&
        qc_context_may_begin(tracer, code) && (started = qc_context_begin(tracer, frame)) < 0) {
        return -1;
    }
    qc_link *link = qc_codemap_find(tracer->store->map, code);
    const qc_trace_record *record = link != NULL ? link->trace : NULL;
    qc_file *file = record != NULL ? record->file : NULL;
    if (QC_UNLIKELY(record == NULL || record->epoch != tracer->store->round) &&
        !(link != NULL && goes_on(tracer, link))) {
        if ((link = qc_codemap_get(tracer->store->map, code)) == NULL ||
            decide(tracer, link, frame, &verdict) < 0) {
            return started ? qc_context_abandon(tracer) : -1;
        }
        file = verdict.file;
    }
    qc_trace_frame *entry = &tracer->frames[tracer->frame_count++];
    entry->frame = frame;
    entry->code = (PyCodeObject *)Py_NewRef(code);
    entry->link = link;
    entry->file = file;
    entry->started_context = started > 0;
    entry->disposition = verdict.disposition;
    entry->file_tracer = verdict.file_tracer;
    entry->last_line = -code->co_firstlineno;
    entry->last = QC_TRACE_ENTRY;
    if (tracer->store->branch && entry->file != NULL) {
        /* The RESUME of a call has the argument 0; others go on in a generator. */
        int lasti = PyFrame_GetLasti(frame);
        if (lasti >= 0 && qc_code_argument(code, lasti) != 0) {
            entry->last_line = qc_frame_line(frame);
            entry->last = qc_trace_short_number(link->trace, entry->last_line);
        }
    }
    if (tracer->outer == NULL) {
        qc_frame_set_trace(frame, (PyObject *)tracer); /* else it is the outer function's */
    }
    return 0;
}

enum { GENERATOR = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

/* Makes an entry for a generator of ours that was resumed without an event, as if at that line. */
static int adopt(qc_tracer *tracer, PyFrameObject *frame, int32_t line)
{
    bool ours = frame->f_trace == (PyObject *)tracer || tracer->outer != NULL;
    if (!ours || !(qc_frame_code(frame)->co_flags & GENERATOR)) {
        return 0;
    }
    if (on_call(tracer, frame) < 0) {
        return -1;
    }
    qc_trace_frame *entry = &tracer->frames[tracer->frame_count - 1];
    if (tracer->store->branch && entry->file != NULL) {
        entry->last_line = line;
        entry->last = qc_trace_short_number(entry->link->trace, line);
    }
    return 0;
}

/* Logs one line, or the arc to it, for a session. */
static int tell_session(qc_tracer *tracer, qc_trace_frame *entry, int32_t line)
{
    qc_session *session = tracer->store->session;
    int32_t from = entry->last_line;
    entry->last_line = line;
    return tracer->store->branch ? qc_session_arc(session, entry->file, from, line)
                                 : qc_session_line(session, entry->file, line);
}

/* Records one line, or the arc to it. */
static int record_line(qc_tracer *tracer, qc_trace_frame *entry, int32_t line)
{
    int result;
    if (QC_UNLIKELY(tracer->store->session != NULL)) {
        return tell_session(tracer, entry, line) < 0 ? -1 : 0;
    }
    if (tracer->store->branch) {
        result = qc_arcset_add(&entry->file->arcs, qc_arc_pack(entry->last_line, line));
        entry->last_line = line;
    } else {
        result = qc_lineset_add(&entry->file->lines, line);
    }
    if (result < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* Lines as a plugin maps them. */
static int on_plugin_line(qc_tracer *tracer, qc_trace_frame *entry, PyFrameObject *frame)
{
    int first = -1, last = -1;
    PyObject *file_tracer = Py_NewRef(entry->file_tracer);
    PyObject *range = PyObject_CallMethodOneArg(file_tracer, tracer->state->str_line_number_range,
                                                (PyObject *)frame);
    Py_DECREF(file_tracer);
    if (range != NULL && !(PyTuple_Check(range) && PyTuple_GET_SIZE(range) == 2)) {
        PyErr_SetString(PyExc_TypeError, "line_number_range must return 2-tuple");
        Py_CLEAR(range);
    }
    bool good = range != NULL && PyArg_ParseTuple(range, "ii", &first, &last);
    Py_XDECREF(range);
    entry = find_frame(tracer, frame);
    if (!good) {
        qc_disable_plugin(tracer, entry->disposition);
        return 0;
    }
    for (int64_t line = first; first != -1 && line <= last; line++) {
        if (record_line(tracer, entry, (int32_t)line) < 0) {
            return -1;
        }
    }
    return 0;
}

static int on_new_arc(qc_tracer *tracer, qc_trace_frame *entry, int32_t line)
{
    qc_link *link = entry->link;
    if (link->trace->epoch != tracer->store->round) {
        int fresh = refresh(tracer, entry);
        if (fresh <= 0) {
            return fresh < 0 ? -1 : record_line(tracer, entry, line);
        }
    }
    uint16_t number = qc_trace_short_number(link->trace, line);
    if (number != QC_TRACE_UNKNOWN && entry->last != QC_TRACE_UNKNOWN) {
        link->trace->from[number - QC_TRACE_FIRST_LINE] = entry->last;
    }
    if (tracer->store->branch) {
        entry->last = number;
    }
    return record_line(tracer, entry, line);
}

static inline int on_line(qc_tracer *tracer, PyFrameObject *frame)
{
    qc_trace_frame *entry = find_frame(tracer, frame);
    if (QC_RESUMES_UNSEEN && QC_UNLIKELY(entry == NULL)) {
        if (adopt(tracer, frame, qc_frame_line(frame)) < 0) {
            return -1;
        }
        entry = find_frame(tracer, frame);
    }
    if (entry == NULL || entry->file == NULL) {
        return 0;
    }
    if (QC_UNLIKELY(entry->file_tracer != NULL)) {
        return on_plugin_line(tracer, entry, frame);
    }
    int32_t line = qc_frame_line(frame);
    const qc_trace_record *record = entry->link->trace;
    if (QC_LIKELY(record->epoch == tracer->store->round)) {
        uint32_t index = (uint32_t)line - (uint32_t)record->first;
        if (QC_LIKELY(index < record->lines && record->from[index] == entry->last)) {
            if (tracer->store->branch) {
                entry->last_line = line;
                entry->last = (uint16_t)(index + QC_TRACE_FIRST_LINE);
            }
            return 0;
        }
    }
    return on_new_arc(tracer, entry, line);
}

/* Records the way out of a frame, unless it is a yield. */
static int record_exit(qc_tracer *tracer, qc_trace_frame *entry, PyFrameObject *frame)
{
    qc_trace_record *record = entry->link->trace;
    int32_t first_line = entry->code->co_firstlineno;
    uint32_t unit = (uint32_t)PyFrame_GetLasti(frame) / 2;
    if (qc_trace_record_yields(record, unit)) {
        return 0;
    }
#if QC_RETURN_SHOWS_NEW_LINE
    if (entry->file_tracer == NULL && unit < record->units) {
        int32_t line = qc_trace_record_line(record, frame, unit);
        if (line >= 0 && line != entry->last_line && record_line(tracer, entry, line) < 0) {
            return -1;
        }
    }
#endif
    bool cached = record->epoch == tracer->store->round;
    if (cached && record->exit_from == entry->last_line) {
        return 0;
    }
    if (cached) {
        record->exit_from = entry->last_line;
    }
    return record_line(tracer, entry, -first_line);
}

/* A generator has returned: was the one that waits for it resumed unseen? It still stands at the
 * line of its `yield from` or `await`. */
static int resume_unseen(qc_tracer *tracer, PyFrameObject *ended)
{
    if (!(qc_frame_code(ended)->co_flags & GENERATOR) || !qc_frame_ends(ended)) {
        return 0;
    }
    PyFrameObject *frame = PyFrame_GetBack(ended);
    int result = 0;
    if (frame != NULL && place_of(tracer, frame) == 0) {
        result = adopt(tracer, frame, PyFrame_GetLineNumber(frame));
    }
    Py_XDECREF(frame);
    return result;
}

static int on_return(qc_tracer *tracer, PyFrameObject *frame, PyObject *value)
{
    qc_trace_frame *entry = find_frame(tracer, frame);
    if (entry == NULL) {
        return 0;
    }
    int result = 0;
    if (tracer->store->branch && entry->file != NULL) {
        result = record_exit(tracer, entry, frame);
    }
    bool started_context = entry->started_context;
    pop_frame(tracer);
    if (started_context && qc_context_end(tracer) < 0) {
        return -1;
    }
    if (QC_RESUMES_UNSEEN && value != NULL && resume_unseen(tracer, frame) < 0) {
        return -1;
    }
    return result;
}

static int handle(qc_tracer *tracer, PyFrameObject *frame, int what, PyObject *arg)
{
    switch (what) {
    case PyTrace_LINE:
        return on_line(tracer, frame);
    case PyTrace_CALL:
        return on_call(tracer, frame);
    case PyTrace_RETURN:
        return on_return(tracer, frame, arg);
    default:
        return 0;
    }
}

static int on_event(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    qc_tracer *tracer = (qc_tracer *)self;
    if (QC_UNLIKELY(!tracer->started)) {
        /* Stopped from another thread: only here can this thread let go of us. */
        PyEval_SetTrace(NULL, NULL);
        return 0;
    }
    tracer->store->activity = true;
    return QC_UNLIKELY(handle(tracer, frame, what, arg) < 0) ? qc_tracer_fail(tracer) : 0;
}

/* Lets the function go on that was there before. */
static int on_event_before(qc_tracer *tracer, PyFrameObject *frame, int what, PyObject *arg)
{
    return tracer->outer != NULL ? tracer->outer(tracer->outer_object, frame, what, arg) : 0;
}

/* As on_event, for a tracer that shares its thread with the function that was there before. */
static int on_event_chained(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    qc_tracer *tracer = (qc_tracer *)Py_NewRef(self);
    int result;
    if (QC_UNLIKELY(!tracer->started)) {
        PyEval_SetTrace(tracer->outer, tracer->outer_object);
        result = on_event_before(tracer, frame, what, arg);
    } else {
        result =
            on_event(self, frame, what, arg) < 0 ? -1 : on_event_before(tracer, frame, what, arg);
    }
    Py_DECREF(tracer);
    return result;
}

/* ------------------------------------------------------------------ the engine */

static Py_tracefunc function_of(const qc_tracer *tracer)
{
    return tracer->chained ? on_event_chained : on_event;
}

static int trace_start(qc_tracer *tracer)
{
    qc_tracer *here = tracer;
    if (qc_probe_expect_trace(tracer->state->map) < 0) {
        return -1;
    }
    if (tracer->chained) {
        tracer->outer = qc_thread_trace_function();
        Py_XSETREF(tracer->outer_object, Py_XNewRef(qc_thread_trace_object()));
    } else {
        here = qc_thread_tracer(tracer);
    }
    if (here == tracer) {
        drop_ended_frames(tracer);
        if (!tracer->chained && qc_thread_keep(tracer) < 0) {
            return -1;
        }
    }
    PyEval_SetTrace(function_of(here), (PyObject *)here);
    if (!qc_thread_traced_by((PyObject *)here)) { /* CPython told sys.unraisablehook why */
        qc_thread_forget(tracer);
        PyErr_SetString(PyExc_RuntimeError, "the trace function could not be set");
        return -1;
    }
    return 0;
}

static int trace_stop(qc_tracer *tracer)
{
    tracer->started = false;
    qc_thread_forget(tracer);
    if (qc_thread_traced_by((PyObject *)tracer)) {
        PyEval_SetTrace(tracer->outer, tracer->outer_object);
    }
    return 0;
}

/* An event from Python: settrace(gettrace()) by the program, or coverage.py's thread starter. */
static int trace_event(qc_tracer *tracer, PyFrameObject *frame, int what)
{
    PyObject *here = Py_NewRef((PyObject *)(tracer->chained ? tracer : qc_thread_tracer(tracer)));
    int result = function_of(tracer)(here, frame, what, NULL);
    if (result == 0 && what == PyTrace_CALL && ((qc_tracer *)here)->started) {
        /* Go back to the C function. Only at a call: earlier, a trace function that the program
         * has just set would be lost. */
        PyEval_SetTrace(function_of(tracer), here);
    }
    Py_DECREF(here);
    return result;
}

static void trace_release(qc_tracer *tracer)
{
    while (tracer->frame_count > 0) {
        pop_frame(tracer);
    }
    qc_free(tracer->frames, tracer->frame_capacity * sizeof(qc_trace_frame));
    Py_CLEAR(tracer->context);
    Py_CLEAR(tracer->outer_object);
}

const qc_engine qc_engine_trace = {
    .name = "trace",
    .start = trace_start,
    .stop = trace_stop,
    .event = trace_event,
    .release = trace_release,
};

static PyObject *trace_tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return qc_tracer_new(type, &qc_engine_trace, args, kwargs);
}

PyDoc_STRVAR(trace_tracer_doc,
             "TraceTracer(*, test_contexts=False, chained=False)\n--\n\n"
             "Measures one thread with a C trace function. With test_contexts,\n"
             "should_start_context is asked about functions that are named as\n"
             "tests only. With chained, the trace function that was there before\n"
             "goes on, too.");

static PyType_Slot trace_tracer_slots[] = {
    {Py_tp_doc, (void *)trace_tracer_doc},
    {Py_tp_new, trace_tracer_new},
    {0, NULL},
};

PyType_Spec qc_trace_tracer_spec = {
    .name = "quickcover._native.TraceTracer",
    .basicsize = sizeof(qc_tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = trace_tracer_slots,
};
