#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_tracer.h"

int qc_tracer_fail(qc_tracer *tracer)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    qc_store_latch(tracer->store);
    (void)tracer->engine->stop(tracer);
    PyErr_Clear();
    return 0;
}

/* ------------------------------------------------------------------ the protocol's methods */

PyDoc_STRVAR(start_doc, "start()\n--\n\n"
                        "Start measuring; return a trace function for sys.settrace, or None.");

static PyObject *tracer_start(qc_tracer *tracer, PyObject *Py_UNUSED(none))
{
    if (tracer->store == NULL || tracer->should_trace == NULL ||
        tracer->should_trace_cache == NULL || !PyDict_Check(tracer->should_trace_cache)) {
        PyErr_SetString(PyExc_TypeError,
                        "data, should_trace and should_trace_cache must be set before start()");
        return NULL;
    }
    if (!tracer->started && tracer->engine->start(tracer) < 0) {
        return NULL;
    }
    tracer->started = true;
    return Py_NewRef(tracer->engine->event != NULL ? (PyObject *)tracer : Py_None);
}

PyDoc_STRVAR(stop_doc, "stop()\n--\n\nStop measuring. More calls do nothing.");

static PyObject *tracer_stop(qc_tracer *tracer, PyObject *Py_UNUSED(none))
{
    if (tracer->started && tracer->engine->stop(tracer) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(post_fork_doc, "post_fork()\n--\n\nStop in the child process after a fork.");
PyDoc_STRVAR(activity_doc, "activity()\n--\n\nHas any event come since the last reset?");

static PyObject *tracer_activity(qc_tracer *tracer, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(tracer->store != NULL && tracer->store->activity);
}

PyDoc_STRVAR(reset_activity_doc, "reset_activity()\n--\n\nForget that there was activity.");

static PyObject *tracer_reset_activity(qc_tracer *tracer, PyObject *Py_UNUSED(none))
{
    if (tracer->store != NULL) {
        tracer->store->activity = false;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(get_stats_doc, "get_stats()\n--\n\nReturn None: nothing to print when stopping.");

static PyObject *tracer_get_stats(qc_tracer *Py_UNUSED(tracer), PyObject *Py_UNUSED(none))
{
    Py_RETURN_NONE;
}

/* tracer(frame, event, arg): how sys.settrace and coverage.py's thread starter call us. */
static PyObject *tracer_call(qc_tracer *tracer, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"frame", "event", "arg", NULL};
    static const char *const events[] = {"call", "exception", "line", "return"};
    PyFrameObject *frame;
    const char *event;
    PyObject *arg;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!sO:Tracer", names, &PyFrame_Type, &frame,
                                     &event, &arg)) {
        return NULL;
    }
    if (tracer->engine->event == NULL) {
        PyErr_Format(PyExc_TypeError, "the %s engine is no trace function", tracer->engine->name);
        return NULL;
    }
    for (int what = 0; what < (int)Py_ARRAY_LENGTH(events); what++) {
        if (strcmp(event, events[what]) == 0 && tracer->engine->event(tracer, frame, what) < 0) {
            return NULL;
        }
    }
    return Py_NewRef(tracer);
}

/* ------------------------------------------------------------------ attributes */

static PyObject *tracer_get_data(qc_tracer *tracer, void *Py_UNUSED(closure))
{
    return Py_NewRef(tracer->store != NULL ? (PyObject *)tracer->store : Py_None);
}

static int tracer_set_data(qc_tracer *tracer, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL || !PyObject_TypeCheck(value, tracer->state->store_type)) {
        PyErr_SetString(PyExc_TypeError,
                        "data must be a quickcover Store: quickcover's tracers need its Collector");
        return -1;
    }
    if (tracer->started && value != (PyObject *)tracer->store) {
        PyErr_SetString(PyExc_RuntimeError, "data can't change while the tracer runs");
        return -1;
    }
    Py_XSETREF(tracer->store, (qc_store *)Py_NewRef(value));
    return 0;
}

static PyGetSetDef tracer_getset[] = {
    {"data", (getter)tracer_get_data, (setter)tracer_set_data, "the Store to record into", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Every attribute that the collector sets and that holds any object. */
#define ATTRIBUTES(X)       \
    X(lock_data)            \
    X(unlock_data)          \
    X(trace_arcs)           \
    X(should_trace)         \
    X(should_trace_cache)   \
    X(warn)                 \
    X(concur_id_func)       \
    X(file_tracers)         \
    X(threading)            \
    X(check_include)        \
    X(should_start_context) \
    X(switch_context)       \
    X(disable_plugin)

static PyMemberDef tracer_members[] = {
#define MEMBER(name) {#name, T_OBJECT, offsetof(qc_tracer, name), 0, NULL},
    ATTRIBUTES(MEMBER)
#undef MEMBER
        {NULL, 0, 0, 0, NULL},
};

static PyMethodDef tracer_methods[] = {
    {"start", (PyCFunction)tracer_start, METH_NOARGS, start_doc},
    {"stop", (PyCFunction)tracer_stop, METH_NOARGS, stop_doc},
    {"post_fork", (PyCFunction)tracer_stop, METH_NOARGS, post_fork_doc},
    {"activity", (PyCFunction)tracer_activity, METH_NOARGS, activity_doc},
    {"reset_activity", (PyCFunction)tracer_reset_activity, METH_NOARGS, reset_activity_doc},
    {"get_stats", (PyCFunction)tracer_get_stats, METH_NOARGS, get_stats_doc},
    {NULL, NULL, 0, NULL},
};

/* ------------------------------------------------------------------ the type */

PyObject *qc_tracer_new(PyTypeObject *type, const qc_engine *engine, PyObject *args,
                        PyObject *kwargs)
{
    static char *names[] = {"test_contexts", "chained", NULL};
    int test_contexts = 0, chained = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$pp:Tracer", names, &test_contexts,
                                     &chained)) {
        return NULL;
    }
    qc_state *state = qc_state_of_type(type);
    qc_tracer *tracer = state ? (qc_tracer *)type->tp_alloc(type, 0) : NULL;
    if (tracer != NULL) {
        tracer->engine = engine;
        tracer->state = state;
        tracer->tool_id = -1;
        tracer->test_contexts = test_contexts;
        tracer->chained = chained;
    }
    return (PyObject *)tracer;
}

static int tracer_traverse(qc_tracer *tracer, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(tracer));
    Py_VISIT(tracer->store);
    Py_VISIT(tracer->outer_object);
#define VISIT(name) Py_VISIT(tracer->name);
    ATTRIBUTES(VISIT)
#undef VISIT
    return 0;
}

static int tracer_clear(qc_tracer *tracer)
{
#define CLEAR(name) Py_CLEAR(tracer->name);
    ATTRIBUTES(CLEAR)
#undef CLEAR
    return 0;
}

static void tracer_dealloc(qc_tracer *tracer)
{
    PyTypeObject *type = Py_TYPE(tracer);
    PyObject_GC_UnTrack(tracer);
    if (tracer->engine != NULL) {
        tracer->engine->release(tracer);
    }
    (void)tracer_clear(tracer);
    Py_CLEAR(tracer->store);
    type->tp_free(tracer);
    Py_DECREF(type);
}

PyDoc_STRVAR(tracer_doc, "The base of quickcover's tracers: coverage.py's Tracer protocol.");

static PyType_Slot tracer_slots[] = {
    {Py_tp_doc, (void *)tracer_doc},
    {Py_tp_call, tracer_call},
    {Py_tp_dealloc, tracer_dealloc},
    {Py_tp_traverse, tracer_traverse},
    {Py_tp_clear, tracer_clear},
    {Py_tp_methods, tracer_methods},
    {Py_tp_members, tracer_members},
    {Py_tp_getset, tracer_getset},
    {0, NULL},
};

PyType_Spec qc_tracer_spec = {
    .name = "quickcover._native.Tracer",
    .basicsize = sizeof(qc_tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = tracer_slots,
};
