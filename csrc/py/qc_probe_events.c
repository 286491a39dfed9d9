#include "qc_compat_events.h"

#include "qc_engine_probe.h"
#include "qc_probe_bell.h"
#include "qc_probe_events.h"
#include "qc_probe_patch.h"
#include "qc_probe_slots.h"
#include "qc_store.h"
#include "qc_tracer.h"

#if QC_HAVE_PROBES

/* Static, against the rule, because CPython's are: a slot can't be told where its state is. */
static struct {
    qc_codemap *map; /* strong; NULL: closed */
    PyMethodDef *set_local;
    PyGetSetDef *line;
    PyCFunction run_set_local;
    setter set_line;
} events;

/* ------------------------------------------------------------------ local events */

/* A twin that sleeps is woken before it has events: a stub would have events of its own. False with
 * an exception set. */
static bool wake(PyCodeObject *code)
{
    qc_link *link = qc_codemap_find(events.map, code);
    qc_tracer *tracer = events.map->prober;
    bool asleep = link != NULL && link->twin != NULL && link->twin->stub_units > 0;
    if (!asleep || tracer == NULL || link->epoch != tracer->store->epoch) {
        return true;
    }
    Py_INCREF(tracer); /* beginning runs Python code, which may stop us */
    bool begun = qc_probe_begin(tracer, link) == 0;
    Py_DECREF(tracer);
    return begun;
}

/* Calls set_local_events() with the code's bell down, if it has one. */
static PyObject *run_without_bell(PyObject *module, PyObject *const *args, Py_ssize_t count,
                                  PyCodeObject *code)
{
    qc_link *link = qc_codemap_find(events.map, code);
    if (link != NULL) {
        qc_bell_take_down(link);
    }
    PyObject *result =
        qc_call_method(events.run_set_local, METH_FASTCALL, module, args, count, NULL);
    if (link != NULL) {
        qc_bell_hang_up(link);
    }
    return result;
}

/* sys.monitoring.set_local_events(tool, code, set); false with an exception set. */
static bool set_for(PyObject *module, PyObject *tool, PyCodeObject *code, PyObject *set)
{
    if (!wake(code)) {
        return false;
    }
    PyObject *args[] = {tool, (PyObject *)code, set};
    PyObject *result = run_without_bell(module, args, 3, code);
    Py_XDECREF(result);
    return result != NULL;
}

/* The code object whose events are always the same; NULL: there is none. Borrowed. */
static PyCodeObject *partner_of(PyCodeObject *code)
{
    const qc_link *link = qc_codemap_find(events.map, code);
    if (link == NULL) {
        return NULL;
    }
    return link->twin != NULL ? link->twin->original : link->replacement;
}

static PyObject *run_set_local(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyCode_Check(args[1])) {
        return qc_call_method(events.run_set_local, METH_FASTCALL, module, args, count, NULL);
    }
    PyCodeObject *code = (PyCodeObject *)args[1];
    PyObject *result = wake(code) ? run_without_bell(module, args, count, code) : NULL;
    if (result != NULL) {
        PyCodeObject *partner = partner_of(code);
        Py_XINCREF(partner);
        if (partner != NULL && !set_for(module, args[0], partner, args[2])) {
            Py_CLEAR(result);
        }
        Py_XDECREF(partner);
    }
    return result;
}

int qc_probe_share_events(PyCodeObject *original, PyCodeObject *twin)
{
    PyObject *module = events.set_local != NULL ? PySys_GetObject("monitoring") : NULL;
    for (int tool = 0; module != NULL && tool < QC_TOOLS; tool++) {
        uint32_t set = qc_code_local_events(original, tool);
        if (set == qc_code_local_events(twin, tool)) {
            continue;
        }
        PyObject *number = PyLong_FromLong(tool), *mask = PyLong_FromUnsignedLong(set);
        bool done = number != NULL && mask != NULL && set_for(module, number, twin, mask);
        Py_XDECREF(number);
        Py_XDECREF(mask);
        if (!done && !PyErr_ExceptionMatches(PyExc_ValueError)) {
            return -1;
        }
        PyErr_Clear(); /* that tool is gone: its events are nobody's */
    }
    return 0;
}

/* ------------------------------------------------------------------ frame.f_lineno */

static int set_line(PyObject *frame, PyObject *value, void *closure)
{
    PyCodeObject *code = qc_frame_code((PyFrameObject *)frame);
    qc_link *link = qc_codemap_find(events.map, code);
    if (link != NULL && link->twin != NULL && qc_twin_show(link) < 0) {
        return -1;
    }
    if (link == NULL || link->twin == NULL || link->twin->stub_units > 0) {
        return events.set_line(frame, value, closure);
    }
    if (!events.map->traced && qc_twin_lay_out_lines(link) < 0) {
        return -1;
    }
    qc_twin_disarm(link);
    int result = events.set_line(frame, value, closure);
    const qc_tracer *tracer = events.map->prober;
    if (link->record != NULL && tracer != NULL && link->epoch == tracer->store->epoch) {
        /* What can't be was told before. */
        (void)qc_twin_arm(link, tracer->store->branch, false, false);
    }
    return result;
}

/* ------------------------------------------------------------------ open and close */

int qc_probe_events_open(qc_codemap *map)
{
    PyObject *line = qc_type_attribute(&PyFrame_Type, "f_lineno");
    if (line == NULL) {
        return -1;
    }
    if (!Py_IS_TYPE(line, &PyGetSetDescr_Type)) {
        PyErr_SetString(PyExc_RuntimeError, "quickcover: frame.f_lineno is not CPython's");
        return -1;
    }
    PyObject *module = PySys_GetObject("monitoring");
    events.set_local = NULL;
    if (module != NULL &&
        (events.set_local = qc_module_method(module, "set_local_events", METH_FASTCALL)) == NULL) {
        return -1;
    }
    events.map = qc_codemap_hold(map);
    events.line = ((PyGetSetDescrObject *)line)->d_getset;
    events.set_line = events.line->set;
    events.line->set = set_line;
    if (events.set_local != NULL) {
        events.run_set_local = events.set_local->ml_meth;
        events.set_local->ml_meth = (PyCFunction)(void (*)(void))run_set_local;
    }
    return 0;
}

void qc_probe_events_close(void)
{
    if (events.map == NULL) {
        return;
    }
    events.line->set = events.set_line;
    if (events.set_local != NULL) {
        events.set_local->ml_meth = events.run_set_local;
    }
    qc_codemap_release(events.map);
    events.map = NULL;
}

#endif
