#include "qc_compat.h"

#include "qc_thread.h"

/* What is kept, or NULL; *dict is set to the thread's dict, or NULL. Both are borrowed. */
static PyObject *kept(const qc_tracer *tracer, PyObject **dict)
{
    *dict = PyThreadState_GetDict();
    return *dict != NULL ? PyDict_GetItem(*dict, (PyObject *)tracer->state->trace_type) : NULL;
}

qc_tracer *qc_thread_tracer(qc_tracer *tracer)
{
    PyObject *dict;
    qc_tracer *here = (qc_tracer *)kept(tracer, &dict);
    return here != NULL && here->started && here->store == tracer->store ? here : tracer;
}

int qc_thread_keep(qc_tracer *tracer)
{
    PyObject *dict = PyThreadState_GetDict();
    PyObject *key = (PyObject *)tracer->state->trace_type;
    return dict != NULL ? PyDict_SetItem(dict, key, (PyObject *)tracer) : 0;
}

void qc_thread_forget(qc_tracer *tracer)
{
    PyObject *dict, *key = (PyObject *)tracer->state->trace_type;
    if (kept(tracer, &dict) == (PyObject *)tracer && PyDict_DelItem(dict, key) < 0) {
        PyErr_Clear();
    }
}
