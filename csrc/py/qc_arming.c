#include "qc_compat.h"

#include "qc_arming.h"
#include "qc_flow.h"

#if QC_HAVE_MONITORING

/* ------------------------------------------------------------------ calls of sys.monitoring */

/* set_local_events(tool, code, events). Code that can't be instrumented (Cython's, say) is
 * left alone: it has no lines of its own. */
static int set_local_events(qc_tracer *tracer, PyCodeObject *code, long events)
{
    PyObject *args[] = {tracer->tool_id_object, (PyObject *)code, PyLong_FromLong(events)};
    PyObject *result =
        args[2] != NULL ? PyObject_Vectorcall(tracer->set_local_events, args, 3, NULL) : NULL;
    Py_XDECREF(args[2]);
    Py_XDECREF(result);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_SystemError)) {
        PyErr_Clear();
        return 0;
    }
    return result != NULL ? 0 : -1;
}

int qc_monitoring_call(qc_tracer *tracer, const char *name, const char *format, ...)
{
    PyObject *function = PyObject_GetAttrString(tracer->state->monitoring, name);
    va_list values;
    va_start(values, format);
    PyObject *args = function != NULL ? Py_VaBuildValue(format, values) : NULL;
    va_end(values);
    PyObject *result = args != NULL ? PyObject_CallObject(function, args) : NULL;
    Py_XDECREF(function);
    Py_XDECREF(args);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

long qc_monitoring_event(qc_tracer *tracer, const char *name)
{
    PyObject *events = PyObject_GetAttrString(tracer->state->monitoring, "events");
    PyObject *value = events != NULL ? PyObject_GetAttrString(events, name) : NULL;
    long bit = value != NULL ? PyLong_AsLong(value) : -1;
    Py_XDECREF(events);
    Py_XDECREF(value);
    return bit;
}

/* ------------------------------------------------------------------ arming */

int qc_arm(qc_tracer *tracer, qc_link *link)
{
    long events = link->begins_context ? tracer->context_events : 0;
    if (link->record != NULL) {
        events |= tracer->local_events;
        events |= link->record->marks & QC_MARK_PROOF ? tracer->proof_events : 0;
    }
    link->armed = true;
    return set_local_events(tracer, link->code, events);
}

int qc_disarm(qc_tracer *tracer, qc_link *link)
{
    link->armed = false;
    return set_local_events(tracer, link->code, 0);
}

int qc_revive(qc_tracer *tracer, qc_link *link)
{
    link->armed = false;
    return qc_revive_code(tracer, link->code);
}

int qc_revive_code(qc_tracer *tracer, PyCodeObject *code)
{
    return set_local_events(tracer, code, tracer->revive_events) < 0 ||
                   set_local_events(tracer, code, 0) < 0
               ? -1
               : 0;
}

#endif
