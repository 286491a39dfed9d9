#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "../core/qc_pack.h"
#include "qc_example.h"
#include "qc_tracer.h"

static qc_state *opened_state(qc_session *session)
{
    if (session->store == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Session.__init__() was not called");
        return NULL;
    }
    return session->state;
}

/* ------------------------------------------------------------------ examples and events */

PyDoc_STRVAR(example_doc, "example()\n--\n\n"
                          "Return a new Example, to be used once in a with statement.");

static PyObject *session_example(qc_session *session, PyObject *Py_UNUSED(none))
{
    return opened_state(session) != NULL ? qc_example_new(session) : NULL;
}

PyDoc_STRVAR(event_doc, "event(key)\n--\n\n"
                        "Count `key` as a place that was hit now; return its id.");

static PyObject *session_event(qc_session *session, PyObject *key)
{
    if (opened_state(session) == NULL) {
        return NULL;
    }
    if (!session->open) {
        PyErr_SetString(session->state->session_error, "the session isn't open");
        return NULL;
    }
    int64_t id = qc_atlas_event(session->atlas, key);
    if (id < 0) {
        return NULL;
    }
    qc_session_event(session, (uint32_t)id);
    return PyLong_FromLongLong(id);
}

/* ------------------------------------------------------------------ questions */

PyDoc_STRVAR(location_doc, "_location(id)\n--\n\n"
                           "Return (file name, line, to line, kind, key) of an id.");

static PyObject *session_location(qc_session *session, PyObject *arg)
{
    if (opened_state(session) == NULL) {
        return NULL;
    }
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return NULL;
    }
    unsigned long id = PyLong_AsUnsignedLong(index);
    Py_DECREF(index);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return NULL;
        }
        PyErr_Clear();
        id = UINT32_MAX;
    }
    if (id >= UINT32_MAX || !qc_session_has_seen(session, (uint32_t)id)) {
        PyErr_SetObject(PyExc_KeyError, arg);
        return NULL;
    }
    return qc_atlas_location(session->atlas, (uint32_t)id);
}

/* All ids seen, as bytes. */
static PyObject *seen_ids(const qc_session *session)
{
    PyObject *ids = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(session->seen * sizeof(uint32_t)));
    uint32_t count = 0;
    for (uint32_t id = 0; ids != NULL && count < session->seen; id++) {
        if (qc_session_has_seen(session, id)) {
            ((uint32_t *)PyBytes_AS_STRING(ids))[count++] = id;
        }
    }
    return ids;
}

static PyObject *session_seen(qc_session *session, void *Py_UNUSED(closure))
{
    PyObject *ids = opened_state(session) != NULL ? seen_ids(session) : NULL;
    PyObject *view = ids != NULL ? qc_ids_view(ids) : NULL;
    Py_XDECREF(ids);
    return view;
}

PyObject *qc_session_resolve(const qc_session *session, PyObject *ids, bool arcs)
{
    if (arcs && !session->store->branch) {
        PyErr_SetString(session->state->session_error,
                        "there are no arcs: the session measures lines alone (branch=False)");
        return NULL;
    }
    /* What an example lacks because it was not new may be what its arcs lead to. */
    PyObject *known = session->rearm ? Py_NewRef(ids) : seen_ids(session);
    PyObject *result = known == NULL
                           ? NULL
                           : qc_atlas_resolve(session->atlas, qc_ids_of(ids), qc_ids_of(known),
                                              session->store->branch, arcs);
    Py_XDECREF(known);
    return result;
}

static PyObject *resolve_seen(qc_session *session, bool arcs)
{
    PyObject *ids = opened_state(session) != NULL ? seen_ids(session) : NULL;
    PyObject *result = ids != NULL ? qc_session_resolve(session, ids, arcs) : NULL;
    Py_XDECREF(ids);
    return result;
}

PyDoc_STRVAR(lines_doc, "lines()\n--\n\n"
                        "Return all lines seen so far, as {(file name, line)}.");

static PyObject *session_lines(qc_session *session, PyObject *Py_UNUSED(none))
{
    return resolve_seen(session, false);
}

PyDoc_STRVAR(arcs_doc, "arcs()\n--\n\n"
                       "Return all arcs seen so far, as {(file name, from, to)}.");

static PyObject *session_arcs(qc_session *session, PyObject *Py_UNUSED(none))
{
    return resolve_seen(session, true);
}

static PyObject *session_counters(qc_session *session, void *Py_UNUSED(closure))
{
    return opened_state(session) != NULL ? Py_NewRef(session->counters_view) : NULL;
}

/* ------------------------------------------------------------------ for session.py */

PyDoc_STRVAR(use_probes_doc, "_use_probes()\n--\n\n"
                             "Have a tracer of the probe engine record into the store.");

static PyObject *session_use_probes(qc_session *session, PyObject *Py_UNUSED(none))
{
    if (opened_state(session) == NULL) {
        return NULL;
    }
    session->probed = true;
    qc_store_move(session->store, session->state->map); /* where twins are known */
    Py_RETURN_NONE;
}

PyDoc_STRVAR(open_doc, "_open(*, traced, tool=0, current=False)\n--\n\n"
                       "Let examples begin: an engine records into the store from now on.\n"
                       "With `current`, the hits of this thread alone count.");

static PyObject *session_open(qc_session *session, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"traced", "tool", "current", NULL};
    int traced, current = 0;
    if (opened_state(session) == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "p|$ip:_open", names, &traced, &session->tool,
                                     &current)) {
        return NULL;
    }
    session->traced = traced;
    /* threading.get_ident may tell of something else: gevent replaces it. */
    session->only = current ? PyThread_get_thread_ident() : 0;
    session->open = true;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(close_doc, "_close()\n--\n\n"
                        "Let no more examples begin. Raises SessionError in an example, and for "
                        "an\nerror that measuring ran into.");

static PyObject *session_close(qc_session *session, PyObject *Py_UNUSED(none))
{
    if (opened_state(session) == NULL) {
        return NULL;
    }
    session->open = false;
    if (qc_session_raise(session) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(name_file_doc, "_name_file(filename, name)\n--\n\n"
                            "Make `name` stand for the file in fingerprints.");

static PyObject *session_name_file(qc_session *session, PyObject *args)
{
    PyObject *filename;
    const char *name;
    Py_ssize_t size;
    if (opened_state(session) == NULL ||
        !PyArg_ParseTuple(args, "Us#:_name_file", &filename, &name, &size)) {
        return NULL;
    }
    int64_t number = qc_atlas_file(session->atlas, filename);
    if (number < 0) {
        return NULL;
    }
    if (qc_session_salt(session, (uint32_t)number, qc_pack_hash(name, (size_t)size, 0)) < 0) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ the type */

static int make_counters(qc_session *session, Py_ssize_t size)
{
    /* Our own view of the bytearray keeps anybody from changing its size. */
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return -1;
    }
    memset(PyByteArray_AS_STRING(bytes), 0, (size_t)size);
    int result = PyObject_GetBuffer(bytes, &session->counters, PyBUF_WRITABLE);
    session->counters_view = result == 0 ? PyMemoryView_FromObject(bytes) : NULL;
    Py_DECREF(bytes);
    return session->counters_view != NULL ? 0 : -1;
}

static int session_init(qc_session *session, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"branch", "rearm", "in_place", "map_size", NULL};
    int branch, rearm, in_place;
    Py_ssize_t map_size;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$pppn:Session", names, &branch, &rearm,
                                     &in_place, &map_size)) {
        return -1;
    }
    if (session->store != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Session.__init__() was called before");
        return -1;
    }
    session->state = qc_state_of_type(Py_TYPE(session));
    if (session->state == NULL || make_counters(session, map_size) < 0) {
        return -1;
    }
    session->atlas = session->state->atlas;
    session->rearm = rearm;
    session->in_place = in_place;
    session->store = qc_store_new(session->state, session->state->session_map, branch);
    if (session->store == NULL) {
        return -1;
    }
    session->store->session = session->store->records.session = session;
    return 0;
}

static int session_traverse(qc_session *session, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(session));
    Py_VISIT(session->store);
    return 0;
}

static void session_dealloc(qc_session *session)
{
    PyTypeObject *type = Py_TYPE(session);
    PyObject_GC_UnTrack(session);
    if (session->store != NULL) {
        session->store->session = session->store->records.session = NULL;
    }
    Py_CLEAR(session->store);
    Py_CLEAR(session->counters_view);
    PyBuffer_Release(&session->counters);
    qc_session_free(session);
    type->tp_free(session);
    Py_DECREF(type);
}

static PyMethodDef session_methods[] = {
    {"example", (PyCFunction)session_example, METH_NOARGS, example_doc},
    {"event", (PyCFunction)session_event, METH_O, event_doc},
    {"lines", (PyCFunction)session_lines, METH_NOARGS, lines_doc},
    {"arcs", (PyCFunction)session_arcs, METH_NOARGS, arcs_doc},
    {"_location", (PyCFunction)session_location, METH_O, location_doc},
    {"_open", (PyCFunction)(void (*)(void))session_open, METH_VARARGS | METH_KEYWORDS, open_doc},
    {"_close", (PyCFunction)session_close, METH_NOARGS, close_doc},
    {"_use_probes", (PyCFunction)session_use_probes, METH_NOARGS, use_probes_doc},
    {"_name_file", (PyCFunction)session_name_file, METH_VARARGS, name_file_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef session_members[] = {
    {"_store", T_OBJECT, offsetof(qc_session, store), READONLY, "what an engine records into"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef session_getset[] = {
    {"seen", (getter)session_seen, NULL, "every id seen so far, sorted, a memoryview", NULL},
    {"counters", (getter)session_counters, NULL,
     "a writable byte for each id, set to 1 by a hit, a memoryview", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(session_doc, "Session(*, branch, rearm, in_place, map_size)\n--\n\n"
                          "The part in C of quickcover.Session, which is the class to use.");

static PyType_Slot session_slots[] = {
    {Py_tp_doc, (void *)session_doc}, {Py_tp_init, session_init},
    {Py_tp_dealloc, session_dealloc}, {Py_tp_traverse, session_traverse},
    {Py_tp_methods, session_methods}, {Py_tp_members, session_members},
    {Py_tp_getset, session_getset},   {0, NULL},
};

PyType_Spec qc_session_spec = {
    .name = "quickcover._native.Session",
    .basicsize = sizeof(qc_session),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = session_slots,
};
