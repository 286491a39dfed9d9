#include "qc_compat.h"

#include "qc_decide.h"

void qc_verdict_clear(qc_verdict *verdict)
{
    Py_CLEAR(verdict->disposition);
    Py_CLEAR(verdict->file_tracer);
}

void qc_disable_plugin(qc_tracer *tracer, PyObject *disposition)
{
    PyErr_Print();
    PyObject *result = PyObject_CallOneArg(tracer->disable_plugin, disposition);
    if (result == NULL) {
        PyErr_Print();
    }
    Py_XDECREF(result);
}

/* cache[key], made by ask(key, frame) if it is not there; NULL with an exception set. Strong. */
static PyObject *cached(PyObject *cache, PyObject *key, PyObject *ask, PyFrameObject *frame)
{
    PyObject *answer = PyDict_GetItemWithError(cache, key);
    if (answer != NULL) {
        return Py_NewRef(answer);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    answer = PyObject_CallFunctionObjArgs(ask, key, (PyObject *)frame, NULL);
    if (answer != NULL && PyDict_SetItem(cache, key, answer) < 0) {
        Py_CLEAR(answer);
    }
    return answer;
}

/* attribute as truth value; -1 with an exception set. */
static int attribute_is_true(PyObject *object, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(object, name);
    int truth = value != NULL ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    return truth;
}

/* Notes in the collector's file_tracers which plugin handles the file. */
static int note_plugin(qc_tracer *tracer, PyObject *file_tracer, PyObject *source_filename)
{
    PyObject *plugin = PyObject_GetAttr(file_tracer, tracer->state->str__coverage_plugin);
    PyObject *name =
        plugin != NULL ? PyObject_GetAttr(plugin, tracer->state->str__coverage_plugin_name) : NULL;
    int result = -1;
    if (name != NULL && tracer->file_tracers != NULL && PyDict_Check(tracer->file_tracers)) {
        result = PyDict_SetItem(tracer->file_tracers, source_filename, name);
    } else if (name != NULL) {
        PyErr_SetString(PyExc_TypeError, "file_tracers must be a dict");
    }
    Py_XDECREF(plugin);
    Py_XDECREF(name);
    return result;
}

/* Whether the include rules take a file name that a plugin gave: 1, 0, or -1 with an exception. */
static int is_included(qc_tracer *tracer, PyObject *filename, PyFrameObject *frame,
                       PyObject *disposition)
{
    PyObject *known = PyDict_GetItemWithError(tracer->should_trace_cache, filename);
    if (known != NULL || PyErr_Occurred()) {
        return known != NULL ? known != Py_None : -1;
    }
    PyObject *answer = PyObject_CallFunctionObjArgs(tracer->check_include, filename, frame, NULL);
    int truth = answer != NULL ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (truth >= 0 &&
        PyDict_SetItem(tracer->should_trace_cache, filename, truth ? disposition : Py_None) < 0) {
        return -1;
    }
    return truth;
}

/* The file name that the plugin gives this call, strong; None: not measured; NULL with exception.
 */
static PyObject *dynamic_filename(qc_tracer *tracer, PyObject *disposition, PyObject *file_tracer,
                                  PyObject *filename, PyFrameObject *frame)
{
    PyObject *name = PyObject_CallMethodObjArgs(
        file_tracer, tracer->state->str_dynamic_source_filename, filename, frame, NULL);
    if (name == NULL) {
        qc_disable_plugin(tracer, disposition);
        return Py_NewRef(Py_None);
    }
    if (name != Py_None) {
        int included = is_included(tracer, name, frame, disposition);
        if (included <= 0) {
            Py_DECREF(name);
            return included < 0 ? NULL : Py_NewRef(Py_None);
        }
    }
    return name;
}

static int decide_plugin_file(qc_tracer *tracer, PyFrameObject *frame, PyObject *filename,
                              qc_verdict *verdict)
{
    PyObject *source = Py_NewRef(filename);
    int dynamic = attribute_is_true(verdict->disposition, tracer->state->str_has_dynamic_filename);
    verdict->dynamic = dynamic > 0;
    if (dynamic > 0) {
        Py_SETREF(source, dynamic_filename(tracer, verdict->disposition, verdict->file_tracer,
                                           filename, frame));
    }
    int result = dynamic < 0 || source == NULL ? -1 : 0;
    if (result == 0 && source != Py_None) {
        verdict->file = qc_store_file(tracer->store, source);
        result = verdict->file ? note_plugin(tracer, verdict->file_tracer, source) : -1;
    }
    Py_XDECREF(source);
    return result;
}

int qc_decide(qc_tracer *tracer, PyCodeObject *code, PyFrameObject *frame, qc_verdict *verdict)
{
    qc_state *state = tracer->state;
    PyObject *source = NULL, *file_tracer = NULL;
    int result = -1;
    *verdict = (qc_verdict){0};
    PyObject *disposition =
        cached(tracer->should_trace_cache, code->co_filename, tracer->should_trace, frame);
    if (disposition == NULL) {
        return -1;
    }
    int trace = disposition == Py_None ? 0 : attribute_is_true(disposition, state->str_trace);
    if (trace <= 0) {
        result = trace;
        goto done;
    }
    source = PyObject_GetAttr(disposition, state->str_source_filename);
    file_tracer = source ? PyObject_GetAttr(disposition, state->str_file_tracer) : NULL;
    if (file_tracer == NULL) {
        goto done;
    }
    if (file_tracer == Py_None) {
        verdict->file = qc_store_file(tracer->store, source);
        result = verdict->file != NULL ? 0 : -1;
    } else {
        verdict->disposition = Py_NewRef(disposition);
        verdict->file_tracer = Py_NewRef(file_tracer);
        result = decide_plugin_file(tracer, frame, source, verdict);
    }
done:
    Py_DECREF(disposition);
    Py_XDECREF(source);
    Py_XDECREF(file_tracer);
    if (result < 0) {
        qc_verdict_clear(verdict);
    }
    return result;
}
