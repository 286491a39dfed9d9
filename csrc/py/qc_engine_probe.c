#include "qc_compat.h"

#include "qc_decide.h"
#include "qc_engine_probe.h"
#include "qc_probe_entry.h"
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

/* Puts a twin on its record, and arms it if anything new can come from it. */
static int admit(qc_tracer *tracer, qc_link *link, qc_file *file)
{
    if (link->record != NULL) {
        qc_record_detach(link);
    }
    link->epoch = tracer->store->epoch;
    qc_twin_disarm(link);
    if (file == NULL) {
        return 0;
    }
    if (qc_record_attach(&tracer->store->records, link, file) < 0) {
        return -1;
    }
    if (!qc_record_is_complete(link->record)) {
        qc_twin_arm(link, tracer->store->branch);
    }
    return 0;
}

/* The constants for the twin of a code object, their code exchanged; a new tuple. */
static PyObject *exchange_consts(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    Py_ssize_t count = PyTuple_GET_SIZE(code->co_consts);
    PyObject *consts = qc_twin_consts(count, tracer->state->hook);
    for (Py_ssize_t k = 0; consts != NULL && k < count; k++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, k);
        if (PyCode_Check(item)) {
            item = (PyObject *)qc_probe_exchange(tracer, (PyCodeObject *)item, globals);
        }
        else {
            Py_INCREF(item);
        }
        if (item == NULL) {
            Py_CLEAR(consts);
            break;
        }
        PyTuple_SET_ITEM(consts, k, item);
    }
    return consts;
}

static PyCodeObject *make_twin(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    if (Py_EnterRecursiveCall(" while a code object is instrumented")) {
        return NULL;
    }
    PyCodeObject *twin = NULL;
    int collecting = PyGC_Disable(); /* what is made here is no garbage */
    PyObject *consts = exchange_consts(tracer, code, globals);
    if (consts != NULL) {
        twin = qc_twin_new(tracer->store->map, code, consts);
        if (twin == NULL && !PyErr_Occurred()) {
            PyErr_Format(PyExc_RuntimeError, "%U can't be instrumented", code->co_qualname);
        }
    }
    Py_XDECREF(consts);
    if (collecting) {
        (void)PyGC_Enable();
    }
    Py_LeaveRecursiveCall();
    return twin;
}

PyCodeObject *qc_probe_exchange(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    qc_store *store = tracer->store;
    qc_link *link = qc_codemap_get(store->map, code);
    qc_verdict verdict;
    if (link == NULL) {
        return NULL;
    }
    bool known = link->epoch == store->epoch;
    if (known && (link->twin != NULL || link->replacement == NULL)) {
        return (PyCodeObject *)Py_NewRef(code);
    }
    if (known && link->replacement != NULL) {
        qc_link *other = qc_codemap_find(store->map, link->replacement);
        if (other != NULL && other->epoch == store->epoch) {
            return (PyCodeObject *)Py_NewRef(link->replacement);
        }
    }
    if (decide(tracer, code, globals, &verdict) < 0) {
        return NULL;
    }
    if (link->twin != NULL || verdict.file == NULL) {
        int result = link->twin != NULL ? admit(tracer, link, verdict.file) : 0;
        link->epoch = store->epoch;
        return result == 0 ? (PyCodeObject *)Py_NewRef(code) : NULL;
    }
    PyCodeObject *twin = link->replacement != NULL
                             ? (PyCodeObject *)Py_NewRef(link->replacement)
                             : make_twin(tracer, code, globals);
    if (twin == NULL ||
        admit(tracer, qc_codemap_find(store->map, twin), verdict.file) < 0) {
        Py_XDECREF(twin);
        return NULL;
    }
    link->epoch = 0; /* ask again once the twin has died */
    return twin;
}

/* ------------------------------------------------------------------ start and stop */

/* A twin made by an earlier start: if this store measures it, it goes on; else it is judged anew. */
static int admit_again(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    if (link->twin == NULL) {
        return 0;
    }
    if (link->epoch == tracer->store->epoch) {
        if (link->record != NULL && !qc_record_is_complete(link->record)) {
            qc_twin_arm(link, tracer->store->branch);
        }
        return 0;
    }
    PyCodeObject *same = qc_probe_exchange(tracer, link->code, NULL);
    Py_XDECREF(same);
    return same != NULL ? 0 : -1;
}

static int disarm_for_stop(qc_link *link, void *Py_UNUSED(context))
{
    if (link->twin != NULL) {
        qc_twin_disarm(link);
    }
    return 0;
}

/* Sees the places of a code object again. qc_store's `rearm`. */
static int rearm(qc_link *link, void *context)
{
    qc_tracer *tracer = context;
    if (tracer != NULL && tracer->started && link->twin != NULL) {
        qc_twin_arm(link, tracer->store->branch);
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
    tracer->store->rearm = NULL;
    tracer->store->rearm_context = NULL;
    int result = qc_codemap_each(map, disarm_for_stop, NULL);
    if (qc_probe_entry_close(tracer->state) < 0 || qc_probe_leave_functions(tracer->state) < 0) {
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
    map->prober = tracer;
    tracer->store->rearm = rearm;
    tracer->store->rearm_context = tracer;
    tracer->started = true;
    if (qc_probe_watch(map) == 0 && qc_codemap_each(map, admit_again, tracer) == 0 && qc_probe_enter_functions(tracer) == 0 &&
        qc_probe_entry_open(tracer->state) == 0) {
        return 0;
    }
    PyObject *error = qc_error_take();
    (void)probe_stop(tracer);
    PyErr_Clear();
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
    return -1;
}

static void probe_release(qc_tracer *tracer)
{
    if (tracer->state->map->prober == tracer) {
        tracer->state->map->prober = NULL;
        (void)qc_codemap_each(tracer->state->map, disarm_for_stop, NULL);
        if (qc_probe_entry_close(tracer->state) < 0) {
            PyErr_Clear();
        }
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

static PyObject *probe_tracer_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                                  PyObject *Py_UNUSED(kwargs))
{
    return qc_tracer_new(type, &qc_engine_probe);
}

PyDoc_STRVAR(probe_tracer_doc, "ProbeTracer()\n--\n\n"
                               "Measures the whole process through probes in the bytecode.");

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
