#include "qc_compat.h"

#include "qc_context.h"

/* Calls a Python function with one argument, and drops the result. */
static int notify(PyObject *function, PyObject *argument)
{
    PyObject *result = PyObject_CallOneArg(function, argument);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int qc_context_abandon(qc_tracer *tracer)
{
    PyObject *error = qc_error_take();
    (void)qc_context_end(tracer);
    qc_error_restore(error);
    return -1;
}

bool qc_context_may_begin(const qc_tracer *tracer, PyCodeObject *code)
{
    return !tracer->test_contexts || qc_context_is_test(code);
}

bool qc_context_is_test(PyCodeObject *code)
{
    const char *name = PyUnicode_AsUTF8(code->co_name);
    if (name == NULL) {
        PyErr_Clear();
        return false;
    }
    return strncmp(name, "test", 4) == 0 || strcmp(name, "runTest") == 0;
}

int qc_context_begin(qc_tracer *tracer, PyFrameObject *frame)
{
    PyObject *context = PyObject_CallOneArg(tracer->should_start_context, (PyObject *)frame);
    if (context == NULL || context == Py_None) {
        Py_XDECREF(context);
        return context != NULL ? 0 : -1;
    }
    if (!tracer->started || tracer->context != NULL) {
        Py_DECREF(context); /* meanwhile another thread stopped us, or began one */
        return 0;
    }
    Py_XSETREF(tracer->context, context);
    return notify(tracer->switch_context, context) < 0 ? qc_context_abandon(tracer) : 1;
}

int qc_context_end(qc_tracer *tracer)
{
    Py_CLEAR(tracer->context);
    return notify(tracer->switch_context, Py_None);
}
