#include "qc_compat_probe.h"

#include "qc_decide.h"
#include "qc_context.h"
#include "qc_engine_probe.h"
#include "qc_probe_bell.h"
#include "qc_probe_entry.h"
#include "qc_probe_events.h"
#include "qc_probe_looks.h"
#include "qc_probe_patch.h"
#include "qc_probe_slots.h"
#include "qc_probe_twin.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ decisions */

/* Asks about a code object as if it was about to run with these globals. */
static int decide(qc_tracer *tracer, PyCodeObject *code, PyObject *globals, qc_verdict *verdict)
{
    PyObject *dict = globals != NULL && PyDict_Check(globals) ? Py_NewRef(globals) : PyDict_New();
    PyFrameObject *frame = NULL;
    int known = PyDict_Contains(tracer->should_trace_cache, code->co_filename);
    int result = -1;
    if (dict != NULL && known == 0) {
        frame = PyFrame_New(PyThreadState_Get(), code, dict, NULL);
    }
    if (dict != NULL && (known > 0 || frame != NULL)) {
        /* The program's trace function must not see what coverage.py runs here. */
        PyThreadState_EnterTracing(PyThreadState_Get());
        result = qc_decide(tracer, code, frame, verdict);
        PyThreadState_LeaveTracing(PyThreadState_Get());
    }
    Py_XDECREF(frame);
    Py_XDECREF(dict);
    if (result == 0 && verdict->file_tracer != NULL) {
        qc_verdict_clear(verdict);
        PyErr_SetString(PyExc_RuntimeError, "the probe engine can't measure files of a plugin");
        return -1;
    }
    return result;
}

int qc_probe_measures(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    qc_verdict verdict;
    if (decide(tracer, code, globals, &verdict) < 0) {
        return -1;
    }
    qc_verdict_clear(&verdict);
    return verdict.file != NULL;
}

/* ------------------------------------------------------------------ twins */

/* Arms; what can't be seen then is said when measuring ends. */
static void arm(qc_tracer *tracer, qc_link *link, bool fresh)
{
    if (!qc_twin_arm(link, tracer->store->branch, true, fresh)) {
        qc_store_doubt(tracer->store,
                       "lines or branches of %U, %U line %d, may be missing: a generator of it was "
                       "suspended when measuring started",
                       link->code->co_qualname, link->code->co_filename,
                       link->code->co_firstlineno);
    }
}

static int exchange_consts(qc_tracer *tracer, PyCodeObject *twin, PyObject *globals, qc_file *file);

int qc_probe_begin(qc_tracer *tracer, qc_link *link)
{
    qc_twin *twin = link->twin;
    if (link->record == NULL && qc_record_attach(&tracer->store->records, link, twin->file) < 0) {
        return -1;
    }
    bool complete = qc_record_is_complete(link->record) && !link->record->asks_exceptions &&
                    !(link->record->owner->contexts && qc_context_is_test(link->code));
    const qc_link *known = qc_codemap_find(tracer->store->map, twin->original);
    if (complete && !twin->awake && known != NULL && known->replacement == link->code &&
        !(link->code->co_flags & CO_OPTIMIZED)) {
        twin->settled = true; /* the body of a module: if it runs again, that is by exec() */
        return 0;
    }
    bool fresh = !twin->awake && !twin->settled;
    int result = qc_twin_wake(link);
    if (result == 0 && twin->lazy) {
        twin->lazy = false;
        result = exchange_consts(tracer, link->code, NULL, twin->file);
    }
    if (result == 0 && tracer->store->branch && twin->asks_exceptions) {
        link->record->asks_exceptions = true;
        complete = false;
    }
    if (result > 0) {
        PyErr_Format(PyExc_RuntimeError, "quickcover can't put probes into %U, %U line %d",
                     link->code->co_qualname, link->code->co_filename, link->code->co_firstlineno);
        return -1;
    }
    if (result == 0 && !complete) {
        arm(tracer, link, fresh);
    }
    return result;
}

/* A twin is measured into this file (NULL: not measured) from now on. 0; 1: it can't be woken any
 * more; -1 with an exception set. */
static int admit(qc_tracer *tracer, qc_link *link, qc_file *file)
{
    qc_twin *twin = link->twin;
    if (twin->barred == tracer->store->epoch) {
        return 1;
    }
    qc_record_detach(link);
    link->epoch = tracer->store->epoch;
    qc_twin_disarm(link);
    twin->file = file;
    if (file == NULL) {
        return 0;
    }
    if (!twin->awake && !twin->settled) {
        arm(tracer, link, false);
        return 0;
    }
    if (qc_twin_wake(link) != 0) {
        return PyErr_Occurred() ? -1 : 1;
    }
    return qc_probe_begin(tracer, link);
}

static PyCodeObject *make_twin(qc_tracer *tracer, PyCodeObject *code, PyObject *globals,
                               qc_file *file);

/* Is this the code of a test, or does it make any? */
static bool has_tests(PyCodeObject *code)
{
    if (qc_context_is_test(code)) {
        return true;
    }
    if (Py_EnterRecursiveCall(" while tests are looked for")) {
        PyErr_Clear();
        return true; /* making a twin fails in the same way, and says so */
    }
    bool found = false;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(code->co_consts) && !found; k++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, k);
        found = PyCode_Check(item) && has_tests((PyCodeObject *)item);
    }
    Py_LeaveRecursiveCall();
    return found;
}

/* Tests begin contexts though they are not measured themselves: they are as code of a file that has
 * no name, and of which nothing is recorded. -1 with an exception set. */
static int hide(qc_tracer *tracer, PyCodeObject *code, qc_file **file)
{
    qc_store *store = tracer->store;
    if (*file != NULL || !store->records.contexts || !has_tests(code)) {
        return 0;
    }
    *file = store->records.hidden = qc_store_file(store, Py_None);
    return *file != NULL ? 0 : -1;
}

/* Hangs code in the constants of a twin with a bell. 1; 0: it gets a twin at once; -1 with an
 * exception set. */
static int hang(const qc_tracer *tracer, PyObject *consts, Py_ssize_t place, qc_file *file)
{
    /* Another thread may have stopped the tracer while this one asked about a file. */
    bool answered = tracer->state->map->prober == tracer;
    return answered && file != NULL && file != tracer->store->records.hidden
               ? qc_bell_new(tracer->store->map, consts, place, file)
               : 0;
}

/* What is to stand in the constants of a twin at this place, for code that stands in its
 * original's. */
static PyObject *exchange_const(qc_tracer *tracer, PyCodeObject *outer, Py_ssize_t place,
                                PyObject *globals, qc_file *file)
{
    PyObject *item = PyTuple_GET_ITEM(outer->co_consts, place);
    if (!PyCode_Check(item)) {
        return Py_NewRef(item);
    }
    PyCodeObject *code = (PyCodeObject *)item;
    if (file != NULL && file == tracer->store->records.hidden && !has_tests(code)) {
        return Py_NewRef(item);
    }
    if (code->co_filename == outer->co_filename &&
        qc_codemap_find(tracer->store->map, code) == NULL) {
        int hung = hang(tracer, outer->co_consts, place, file);
        return hung > 0   ? Py_NewRef(item)
               : hung < 0 ? NULL
                          : (PyObject *)make_twin(tracer, code, globals, file);
    }
    return (PyObject *)qc_probe_exchange(tracer, code, globals);
}

/* Has the constants of a twin be twins, where they are code. 0, or -1 with an exception set. */
static int exchange_consts(qc_tracer *tracer, PyCodeObject *twin, PyObject *globals, qc_file *file)
{
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(twin->co_consts); k++) {
        PyObject *item = PyTuple_GET_ITEM(twin->co_consts, k);
        PyObject *other = exchange_const(tracer, twin, k, globals, file);
        if (other == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(twin->co_consts, k, other);
        Py_DECREF(item);
    }
    return 0;
}

/* A twin of `code`, and in its constants twins of the code there: of a function, when it wakes. A
 * new reference. */
static PyCodeObject *make_twin(qc_tracer *tracer, PyCodeObject *code, PyObject *globals,
                               qc_file *file)
{
    if (Py_EnterRecursiveCall(" while a code object is instrumented")) {
        return NULL;
    }
    PyObject *consts = qc_twin_consts(code->co_consts, tracer->state->hook);
    PyCodeObject *twin = consts != NULL ? qc_twin_new(tracer->store->map, code, consts) : NULL;
    qc_link *link = twin != NULL ? qc_codemap_find(tracer->store->map, twin) : NULL;
    Py_XDECREF(consts);
    if (link != NULL) {
        link->twin->lazy = code->co_flags & CO_OPTIMIZED;
        if ((!link->twin->lazy && exchange_consts(tracer, twin, globals, file) < 0) ||
            admit(tracer, link, file) < 0) {
            Py_CLEAR(twin);
        }
    }
    Py_LeaveRecursiveCall();
    return twin;
}

/* As make_twin, for code that is not in the constants of other code: it is found again. */
static PyCodeObject *make_known_twin(qc_tracer *tracer, qc_link *link, PyObject *globals,
                                     qc_file *file)
{
    int collecting = PyGC_Disable(); /* what is made here is no garbage */
    PyCodeObject *twin = make_twin(tracer, link->code, globals, file);
    if (collecting) {
        (void)PyGC_Enable();
    }
    if (twin != NULL) {
        link->replacement = twin;
    }
    return twin;
}

/* What this store has decided to run in place of the link's code object, borrowed; NULL: nothing.
 */
static PyCodeObject *known(const qc_store *store, const qc_link *link)
{
    PyCodeObject *code = link->code;
    if (link->twin == NULL && link->epoch == store->epoch) {
        return code; /* not measured */
    }
    if (link->twin == NULL && link->replacement != NULL) {
        link = qc_codemap_find(store->map, link->replacement);
    }
    if (link == NULL || link->epoch != store->epoch ||
        (link->twin != NULL && link->twin->barred == store->epoch)) {
        return NULL;
    }
    if (link->twin != NULL && link->twin->file == NULL) {
        return code;
    }
    bool asleep = link->twin != NULL && link->twin->file != NULL && !link->twin->awake;
    return asleep && link->twin->settled ? NULL : link->code;
}

/* The twin of code with a bell. Runs no Python code. */
static PyCodeObject *answer(qc_tracer *tracer, qc_link *link, PyObject *globals)
{
    PyCodeObject *twin = link->replacement != NULL ? known(tracer->store, link) : NULL;
    if (twin != NULL) {
        return (PyCodeObject *)Py_NewRef(twin);
    }
    qc_bell_take_down(link);
    twin = qc_code_keep_shown(link->code) == 0
               ? make_known_twin(tracer, link, globals, link->bell->file)
               : NULL;
    qc_bell_hang_up(link);
    if (twin != NULL) {
        qc_bell_answered(link, twin);
    }
    return twin;
}

static PyCodeObject *exchange(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    qc_store *store = tracer->store;
    qc_link *link = qc_codemap_get(store->map, code);
    qc_verdict verdict;
    if (link == NULL) {
        return NULL;
    }
    if (link->bell != NULL) {
        return answer(tracer, link, globals);
    }
    PyCodeObject *found = known(store, link);
    if (found != NULL) {
        return (PyCodeObject *)Py_NewRef(found);
    }
    if (decide(tracer, code, globals, &verdict) < 0 || hide(tracer, code, &verdict.file) < 0) {
        return NULL;
    }
    PyCodeObject *twin = link->twin != NULL ? code : link->replacement;
    if (link->twin == NULL && verdict.file == NULL) {
        link->epoch = store->epoch;
        return (PyCodeObject *)Py_NewRef(code);
    }
    if (twin != NULL) {
        Py_INCREF(twin);
        int result = admit(tracer, qc_codemap_find(store->map, twin), verdict.file);
        if (result <= 0) {
            return result == 0 ? twin : (Py_DECREF(twin), NULL);
        }
        if (link->twin != NULL &&
            (link = qc_codemap_get(store->map, link->twin->original)) == NULL) {
            Py_DECREF(twin);
            return NULL;
        }
        Py_DECREF(twin);
    }
    return make_known_twin(tracer, link, globals, verdict.file);
}

PyCodeObject *qc_probe_exchange(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    PyCodeObject *twin = exchange(tracer, code, globals);
    if (twin != NULL && twin != code && qc_probe_share_events(code, twin) < 0) {
        Py_CLEAR(twin);
    }
    return twin;
}

/* ------------------------------------------------------------------ start and stop */

/* A frame that runs when a store starts is not measured into it: its twin stays as it is, and calls
 * from now on have another. (Not so a generator: it would be lost for good.) */
static int bar(_PyInterpreterFrame *frame, void *context)
{
    enum { GENERATOR = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };
    const qc_store *store = context;
    PyCodeObject *code = qc_iframe_code(frame);
    qc_link *link = qc_codemap_find(store->map, code);
    if (link != NULL && link->twin != NULL && link->epoch != store->epoch &&
        !(code->co_flags & GENERATOR)) {
        link->twin->barred = store->epoch;
    }
    return 0;
}

/* What this code makes functions of is measured. */
static int renew_constants(qc_tracer *tracer, PyCodeObject *code)
{
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(code->co_consts); k++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, k);
        const qc_link *link =
            PyCode_Check(item) ? qc_codemap_find(tracer->store->map, (PyCodeObject *)item) : NULL;
        bool barred =
            link != NULL && link->twin != NULL && link->twin->barred == tracer->store->epoch;
        if (link == NULL || !(barred || link->was_hung)) {
            continue;
        }
        PyObject *other = (PyObject *)qc_probe_exchange(tracer, (PyCodeObject *)item, NULL);
        if (other == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(code->co_consts, k, other);
        Py_DECREF(item);
    }
    return 0;
}

/* A twin made by an earlier start: if this store measures it, it goes on; else it is judged anew.
 */
static int admit_again(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    if (link->twin == NULL) {
        return 0;
    }
    if (renew_constants(tracer, link->code) < 0) {
        return -1;
    }
    if (link->twin->barred == tracer->store->epoch) {
        return 0;
    }
    if (link->epoch == tracer->store->epoch) {
        return admit(tracer, link, link->twin->file) < 0 ? -1 : 0;
    }
    PyCodeObject *same = qc_probe_exchange(tracer, link->code, NULL);
    Py_XDECREF(same);
    return same != NULL ? 0 : -1;
}

static int disarm_for_stop(qc_link *link, void *Py_UNUSED(context))
{
    link->was_hung = link->was_hung || link->bell != NULL;
    qc_bell_free(link);
    if (link->twin != NULL) {
        qc_twin_disarm(link);
    }
    return 0;
}

/* Sees the places of a code object again. qc_store's `rearm`. */
static int rearm(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    if (tracer != NULL && tracer->started && link->twin != NULL && link->twin->awake) {
        arm(tracer, link, false);
    }
    return 0;
}

static int probe_stop(qc_tracer *tracer)
{
    qc_codemap *map = tracer->state->map;
    if (map->prober != tracer) {
        return 0;
    }
    PyObject *error = qc_error_take();
    map->prober = NULL;
    tracer->started = false;
    Py_CLEAR(tracer->context);
    Py_CLEAR(tracer->context_frame);
    tracer->store->rearm = NULL;
    tracer->store->rearm_context = NULL;
    int result = qc_codemap_each(map, disarm_for_stop, NULL);
    qc_probe_slots_close(map);
    if (qc_probe_leave(tracer->state) < 0) {
        result = -1;
    }
    Py_XDECREF(error);
    return result;
}

static int probe_start(qc_tracer *tracer)
{
    qc_codemap *map = tracer->state->map;
    if (map->prober != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "another tracer of the probe engine is running");
        return -1;
    }
    if (qc_probe_looks_open(map) < 0 || qc_probe_slots_open(map) < 0) {
        return -1;
    }
    map->prober = tracer;
    tracer->store->records.contexts = tracer->test_contexts && qc_context_is_asked(tracer);
    tracer->store->rearm = rearm;
    tracer->store->rearm_context = tracer;
    tracer->started = true;
    tracer->store->activity = true; /* whoever started us goes on */
    qc_probe_await_program(tracer);
    (void)qc_each_running_frame(bar, tracer->store);
    if ((qc_active_tracefunc() == NULL || qc_probe_expect_trace(map) == 0) &&
        qc_codemap_each(map, admit_again, tracer) == 0 && qc_probe_enter(tracer) == 0) {
        return 0;
    }
    if (qc_tracer_fail(tracer) == 0) {
        return 0; /* it is told when measuring ends, as errors in callbacks are */
    }
    PyObject *error = qc_error_take();
    (void)probe_stop(tracer);
    qc_error_restore(error);
    return -1;
}

static void probe_release(qc_tracer *tracer)
{
    Py_CLEAR(tracer->context);
    Py_CLEAR(tracer->context_frame);
    if (tracer->state->map->prober == tracer) {
        tracer->state->map->prober = NULL;
        (void)qc_codemap_each(tracer->state->map, disarm_for_stop, NULL);
        qc_probe_slots_close(tracer->state->map);
    }
    if (tracer->store != NULL && tracer->store->rearm_context == tracer) {
        tracer->store->rearm_context = NULL;
    }
}

const qc_engine qc_engine_probe = {
    .name = "probe",
    .start = probe_start,
    .stop = probe_stop,
    .event = NULL,
    .release = probe_release,
};

static PyObject *probe_tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return qc_tracer_new(type, &qc_engine_probe, args, kwargs);
}

PyDoc_STRVAR(probe_tracer_doc,
             "ProbeTracer(*, test_contexts=False, chained=False)\n--\n\n"
             "Measures the whole process through probes in the bytecode. With\n"
             "test_contexts, should_start_context is asked about functions that are\n"
             "named as tests only.");

static PyType_Slot probe_tracer_slots[] = {
    {Py_tp_doc, (void *)probe_tracer_doc},
    {Py_tp_new, probe_tracer_new},
    {0, NULL},
};

PyType_Spec qc_probe_tracer_spec = {
    .name = "quickcover._native.ProbeTracer",
    .basicsize = sizeof(qc_tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = probe_tracer_slots,
};

#endif
