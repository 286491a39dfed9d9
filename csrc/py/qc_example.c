#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_example.h"
#include "qc_tracer.h"

/* ------------------------------------------------------------------ beginning and ending */

static PyObject *misuse(const qc_session *session, const char *message)
{
    PyErr_SetString(session->state->session_error, message);
    return NULL;
}

int qc_session_raise(qc_session *session)
{
    PyObject *error = session->store->error;
    if (error == NULL && !session->failed) {
        return 0;
    }
    session->store->error = NULL;
    if (error == NULL) {
        PyErr_NoMemory();
        error = qc_error_take();
        session->failed = false;
    }
    PyErr_Format(session->state->session_error,
                 "quickcover stopped measuring after an error, data is missing: %R", error);
    PyObject *raised = qc_error_take();
    PyException_SetCause(raised, error);
    qc_error_restore(raised);
    return -1;
}

/* Does the trace engine measure this thread for the session? */
static bool is_traced(const qc_session *session)
{
    PyObject *tracer = qc_thread_trace_object();
    return tracer != NULL && Py_TYPE(tracer) == session->state->trace_type &&
           ((qc_tracer *)tracer)->store == session->store && ((qc_tracer *)tracer)->started;
}

static const char *obstacle(const qc_example *example)
{
    const qc_session *session = example->session;
    if (example->phase != QC_EXAMPLE_NEW) {
        return "an example can be entered only once: call session.example() again";
    }
    if (!session->open) {
        return "the session isn't open: use it in a with statement";
    }
    if (session->running != NULL) {
        return "there is an example already: examples can't be nested, nor run side by side in "
               "threads or tasks";
    }
    if (qc_session_ignores_thread(session)) {
        return "with thread=\"current\", examples belong in the thread that opened the session";
    }
    return NULL;
}

/* Before an example begins or goes on. */
static int prepare(qc_session *session)
{
    if (qc_session_raise(session) < 0) {
        return -1;
    }
    if (session->traced && QC_UNLIKELY(!is_traced(session))) {
        PyObject *done = PyObject_CallMethod((PyObject *)session, "_trace_this_thread", NULL);
        Py_XDECREF(done);
        return done != NULL ? 0 : -1;
    }
    return 0;
}

/* When it has ended or pauses: is anything missing? */
static int check(qc_session *session)
{
    if (qc_session_raise(session) < 0) {
        return -1;
    }
    if (session->traced && session->open && QC_UNLIKELY(!is_traced(session))) {
        (void)misuse(session, "the trace function was changed during the example, so that "
                              "hits are missing; was there a debugger, or did coverage.py "
                              "start or stop?");
        return -1;
    }
    return 0;
}

static PyObject *example_enter(qc_example *example, PyObject *Py_UNUSED(none))
{
    qc_session *session = example->session;
    const char *message = obstacle(example);
    if (message != NULL) {
        return misuse(session, message);
    }
    if (prepare(session) < 0 || qc_session_begin(session) < 0) {
        return NULL;
    }
    example->phase = QC_EXAMPLE_RUNNING;
    session->running = example;
    return Py_NewRef(example);
}

/* The first ids of the log, as bytes. */
static PyObject *logged_ids(const qc_session *session, uint32_t count)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * sizeof(uint32_t)));
    uint32_t *ids = bytes != NULL ? (uint32_t *)PyBytes_AS_STRING(bytes) : NULL;
    for (uint32_t k = 0; ids != NULL && k < count; k++) {
        ids[k] = session->log[k].id;
    }
    return bytes;
}

/* Takes from the log what was hit. */
static int collect(qc_example *example)
{
    qc_session *session = example->session;
    qc_span span = qc_session_span(session);
    session->running = NULL;
    example->phase = QC_EXAMPLE_OVER;
    example->fresh = span.fresh;
    example->length = span.logged;
    example->ids = logged_ids(session, span.logged);
    return example->ids != NULL ? 0 : -1;
}

static PyObject *example_exit(qc_example *example, PyObject *const *args, Py_ssize_t count)
{
    qc_session *session = example->session;
    if (example->phase != QC_EXAMPLE_RUNNING) {
        return misuse(session, "the example isn't running");
    }
    if (collect(example) < 0) {
        return NULL;
    }
    /* What the block raises is more important than what we have to say: that waits. */
    if ((count == 0 || args[0] == Py_None) && check(session) < 0) {
        return NULL;
    }
    Py_RETURN_FALSE;
}

/* ------------------------------------------------------------------ pauses, for tstl.py */

/* Is the example running? Else NULL with an exception set. */
static qc_session *session_of_running(qc_example *example)
{
    if (example->phase != QC_EXAMPLE_RUNNING) {
        (void)misuse(example->session, "the example isn't running");
        return NULL;
    }
    return example->session;
}

PyDoc_STRVAR(pause_doc, "_pause()\n--\n\n"
                        "What is hit from now on doesn't belong to the example; it can pause "
                        "twice.");

static PyObject *example_pause(qc_example *example, PyObject *Py_UNUSED(none))
{
    qc_session *session = session_of_running(example);
    if (session == NULL) {
        return NULL;
    }
    qc_session_pause(session);
    if (check(session) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(resume_doc, "_resume()\n--\n\n"
                         "Go on after a pause; what was hit meanwhile can be hit again.");

static PyObject *example_resume(qc_example *example, PyObject *Py_UNUSED(none))
{
    qc_session *session = session_of_running(example);
    if (session == NULL || prepare(session) < 0 || qc_session_resume(session) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *example_logged(qc_example *example, void *Py_UNUSED(closure))
{
    qc_session *session = session_of_running(example);
    return session != NULL ? PyLong_FromUnsignedLong(qc_session_span(session).logged) : NULL;
}

/* The first ids of a running example, as bytes. */
static PyObject *first_ids(qc_example *example, PyObject *count)
{
    qc_session *session = session_of_running(example);
    unsigned long wanted = session != NULL ? PyLong_AsUnsignedLong(count) : 0;
    if (session == NULL || PyErr_Occurred()) {
        return NULL;
    }
    uint32_t logged = qc_session_span(session).logged;
    return logged_ids(session, wanted < logged ? (uint32_t)wanted : logged);
}

PyDoc_STRVAR(so_far_doc, "_so_far(count)\n--\n\n"
                         "Return the first `count` ids, in the order of the hits.");

static PyObject *example_so_far(qc_example *example, PyObject *count)
{
    PyObject *ids = first_ids(example, count);
    PyObject *view = ids != NULL ? qc_ids_view(ids) : NULL;
    Py_XDECREF(ids);
    return view;
}

PyDoc_STRVAR(covered_doc, "_covered(count)\n--\n\n"
                          "Return the lines and the arcs of the first `count` ids.");

static PyObject *example_covered(qc_example *example, PyObject *count)
{
    PyObject *ids = first_ids(example, count);
    PyObject *lines = ids != NULL ? qc_session_resolve(example->session, ids, false) : NULL;
    PyObject *arcs = lines != NULL ? qc_session_resolve(example->session, ids, true) : NULL;
    PyObject *result = arcs != NULL ? PyTuple_Pack(2, lines, arcs) : NULL;
    Py_XDECREF(ids);
    Py_XDECREF(lines);
    Py_XDECREF(arcs);
    return result;
}

/* ------------------------------------------------------------------ results */

/* Is the example over? Else NULL with an exception set. */
static qc_example *over(qc_example *example)
{
    if (example->phase != QC_EXAMPLE_OVER) {
        (void)misuse(example->session, "an example has its results when it is over");
        return NULL;
    }
    return example;
}

qc_ids qc_ids_of(PyObject *ids)
{
    qc_ids all = {(const uint32_t *)PyBytes_AS_STRING(ids),
                  (size_t)PyBytes_GET_SIZE(ids) / sizeof(uint32_t)};
    return all;
}

PyObject *qc_ids_view(PyObject *ids)
{
    PyObject *bytes = PyMemoryView_FromObject(ids);
    PyObject *view = bytes != NULL ? PyObject_CallMethod(bytes, "cast", "s", "I") : NULL;
    Py_XDECREF(bytes);
    return view;
}

/* The example as a buffer of its ids: what the memoryview of them is of. */
static int example_getbuffer(qc_example *example, Py_buffer *view, int flags)
{
    if (over(example) == NULL) {
        return -1;
    }
    char *ids = PyBytes_AS_STRING(example->ids);
    Py_ssize_t size = PyBytes_GET_SIZE(example->ids);
    if (!example->sorted) {
        qc_session_sort(example->session, (uint32_t *)ids, (size_t)size / sizeof(uint32_t));
        example->sorted = true;
    }
    if (PyBuffer_FillInfo(view, (PyObject *)example, ids, size, 1, flags) < 0) {
        return -1;
    }
    view->itemsize = sizeof(uint32_t);
    view->format = flags & PyBUF_FORMAT ? "I" : NULL;
    view->shape = flags & PyBUF_ND ? &example->length : NULL;
    return 0;
}

static PyObject *example_ids(qc_example *example, void *Py_UNUSED(closure))
{
    return over(example) != NULL ? PyMemoryView_FromObject((PyObject *)example) : NULL;
}

static PyObject *example_new_count(qc_example *example, void *Py_UNUSED(closure))
{
    return over(example) != NULL ? PyLong_FromUnsignedLong(example->fresh) : NULL;
}

static PyObject *example_fingerprint(qc_example *example, void *Py_UNUSED(closure))
{
    if (over(example) == NULL) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(
        qc_session_fingerprint(example->session, qc_ids_of(example->ids)));
}

PyDoc_STRVAR(lines_doc, "lines()\n--\n\n"
                        "Return the lines of this example, as {(file name, line)}.");

static PyObject *example_lines(qc_example *example, PyObject *Py_UNUSED(none))
{
    return over(example) != NULL ? qc_session_resolve(example->session, example->ids, false) : NULL;
}

PyDoc_STRVAR(arcs_doc, "arcs()\n--\n\n"
                       "Return the arcs of this example, as {(file name, from, to)}.");

static PyObject *example_arcs(qc_example *example, PyObject *Py_UNUSED(none))
{
    return over(example) != NULL ? qc_session_resolve(example->session, example->ids, true) : NULL;
}

/* ------------------------------------------------------------------ the type */

PyObject *qc_example_new(qc_session *session)
{
    PyTypeObject *type = session->state->example_type;
    qc_example *example = (qc_example *)type->tp_alloc(type, 0);
    if (example != NULL) {
        example->session = (qc_session *)Py_NewRef(session);
    }
    return (PyObject *)example;
}

static int example_traverse(qc_example *example, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(example));
    Py_VISIT(example->session);
    return 0;
}

static void example_dealloc(qc_example *example)
{
    PyTypeObject *type = Py_TYPE(example);
    PyObject_GC_UnTrack(example);
    if (example->phase == QC_EXAMPLE_RUNNING) {
        example->session->running = NULL; /* dropped without having been left */
    }
    Py_CLEAR(example->ids);
    Py_CLEAR(example->session);
    type->tp_free(example);
    Py_DECREF(type);
}

static PyMethodDef example_methods[] = {
    {"__enter__", (PyCFunction)example_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))example_exit, METH_FASTCALL, NULL},
    {"lines", (PyCFunction)example_lines, METH_NOARGS, lines_doc},
    {"arcs", (PyCFunction)example_arcs, METH_NOARGS, arcs_doc},
    {"_pause", (PyCFunction)example_pause, METH_NOARGS, pause_doc},
    {"_resume", (PyCFunction)example_resume, METH_NOARGS, resume_doc},
    {"_so_far", (PyCFunction)example_so_far, METH_O, so_far_doc},
    {"_covered", (PyCFunction)example_covered, METH_O, covered_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef example_getset[] = {
    {"new", (getter)example_new_count, NULL, "how many ids were never seen before in this session",
     NULL},
    {"ids", (getter)example_ids, NULL, "sorted unsigned 32-bit ids, a memoryview", NULL},
    {"fingerprint", (getter)example_fingerprint, NULL,
     "64-bit hash of the set, the same in every process for the same sources", NULL},
    {"_logged", (getter)example_logged, NULL, "how many ids it has had so far", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(example_doc, "One example of a session, and what it hit. See Session.example().");

static PyType_Slot example_slots[] = {
    {Py_tp_doc, (void *)example_doc},
    {Py_tp_dealloc, example_dealloc},
    {Py_tp_traverse, example_traverse},
    {Py_tp_methods, example_methods},
    {Py_tp_getset, example_getset},
    {Py_bf_getbuffer, example_getbuffer},
    {0, NULL},
};

PyType_Spec qc_example_spec = {
    .name = "quickcover._native.Example",
    .basicsize = sizeof(qc_example),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = example_slots,
};
