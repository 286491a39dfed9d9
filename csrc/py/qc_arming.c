#include "qc_compat.h"

#include "qc_arming.h"
#include "qc_flow.h"
#include "qc_quiet.h"

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
    int result = set_local_events(tracer, link->code, events);
    if (result == 0 && link->record != NULL) {
        qc_quiet_again(link, tracer->tool_id);
    }
    return result;
}

/* What a flag of a code unit was set by. True also where that event is never off. */
static bool arm_hit(const qc_link *link, const qc_codeview *view, uint32_t unit, unsigned flag,
                    int tool)
{
    int64_t at = qc_flow_event_unit(view, unit, flag);
    if (at < 0) {
        return true;
    }
    uint8_t plain = view->code[2 * at];
    uint8_t armed =
        flag == QC_HIT_LINE ? qc_opcode_of_line_events() : qc_opcode_instrumented(plain);
    return armed != 0 && qc_code_arm(link->code, (uint32_t)at, armed, plain, tool);
}

int qc_arm_hits(qc_link *link, void *context)
{
    const qc_tracer *tracer = context;
    const qc_record *record = link->record;
    qc_codeview view = qc_record_view(record);
    if (tracer == NULL || !tracer->started || !tracer->store->in_place || !link->armed ||
        view.code == NULL) {
        return 1;
    }
    for (uint32_t unit = 0; unit < record->hits.units; unit++) {
        unsigned flags = record->hits.bytes[unit] & ~(unsigned)QC_MARKS;
        for (unsigned flag = 1; flags != 0; flag <<= 1) {
            if ((flags & flag) != 0 && !arm_hit(link, &view, unit, flag, tracer->tool_id)) {
                return 1;
            }
            flags &= ~flag;
        }
    }
    if (link->hides_line) {
        (void)qc_code_arm_start(link->code, tracer->tool_id);
    }
    return 0;
}

qc_link *qc_armed_link(const qc_tracer *tracer, PyCodeObject *code)
{
    qc_link *link = tracer->started ? qc_codemap_find(tracer->store->map, code) : NULL;
    bool known = link != NULL && link->epoch == tracer->store->epoch;
    return known && link->record != NULL && link->armed ? link : NULL;
}

int qc_called(qc_tracer *tracer, qc_link *link, bool second)
{
    if (second) {
        qc_quiet(link, tracer->tool_id);
    }
    return !second && (link->code->co_flags & CO_OPTIMIZED) != 0; /* modules run once */
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
