/* Example: one example of a session, with what it hit (a Python type).
 *
 * It is entered once, as a context manager, and has its results when it was left. They are its own:
 * the session goes on without it.
 */
#ifndef QC_EXAMPLE_H
#define QC_EXAMPLE_H

#include "qc_session.h"

typedef struct qc_example {
    PyObject_HEAD
    qc_session *session;
    PyObject *ids;     /* bytes; NULL until it is over. Nobody else has it */
    Py_ssize_t length; /* how many ids */
    bool sorted;       /* they are, since they were looked at */
    uint32_t fresh;
    enum { QC_EXAMPLE_NEW, QC_EXAMPLE_RUNNING, QC_EXAMPLE_OVER } phase;
} qc_example;

extern PyType_Spec qc_example_spec;

PyObject *qc_example_new(qc_session *session);

/* Raises what measuring ran into, as SessionError: -1, or 0 if it ran into nothing. */
int qc_session_raise(qc_session *session);

/* Ids are kept in bytes objects; these are they. */
qc_ids qc_ids_of(PyObject *ids);

/* A read-only memoryview of such a bytes object; NULL with an exception set. */
PyObject *qc_ids_view(PyObject *ids);

/* The lines or arcs that ids stand for; NULL with an exception set. */
PyObject *qc_session_resolve(const qc_session *session, PyObject *ids, bool arcs);

#endif
