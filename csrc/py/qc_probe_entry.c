#include "qc_compat_probe.h"

#include "qc_engine_probe.h"
#include "qc_flow.h"
#include "qc_probe_entry.h"
#include "qc_probe_patch.h"
#include "qc_probe_slots.h"
#include "qc_record.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ functions that exist */

/* All objects that the collector knows, those that gc.freeze() took out of its sight included: they
 * come back for good. (Freezing again would keep all the garbage of this moment.) A new reference.
 */
static PyObject *all_objects(PyObject *gc)
{
    PyObject *done = PyObject_CallMethod(gc, "unfreeze", NULL);
    PyObject *objects = done != NULL ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
    Py_XDECREF(done);
    return objects;
}

/* Calls visit(object, context) for every object that the collector knows. 0, or -1 with an
 * exception set. */
static int each_object(int (*visit)(PyObject *object, void *context), void *context)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *objects = gc != NULL ? all_objects(gc) : NULL;
    int result = objects != NULL ? 0 : -1;
    for (Py_ssize_t k = 0; result == 0 && k < PyList_GET_SIZE(objects); k++) {
        result = visit(PyList_GET_ITEM(objects, k), context);
    }
    Py_XDECREF(gc);
    Py_XDECREF(objects);
    return result;
}

/* The generator's frame goes on in the twin, and its trampolines must do with the frame's stack. */
static int move_generator(qc_tracer *tracer, PyObject *generator, _PyInterpreterFrame *frame,
                          qc_link *link)
{
    qc_twin *twin = link->twin;
    PyCodeObject *code = qc_iframe_code(frame);
    if (code->co_stacksize < twin->slots) {
        twin->slots = (int16_t)code->co_stacksize;
        if (twin->awake) {
            qc_twin_disarm(link);
        }
    }
    if (qc_probe_begin(tracer, link) < 0) {
        return -1;
    }
    if (twin->awake) {
        /* Where it goes on, and so the unit before, stands as in the original. */
        const qc_twin *before = qc_twin_of(tracer->store->map, code);
        uint32_t unit = qc_frame_unit(frame) + 1;
        unit = qc_twin_place(twin, before != NULL ? qc_twin_origin(before, unit) : unit);
        qc_generator_exchange(generator, link->code, unit - 1);
    }
    return 0;
}

static int enter_generator(qc_tracer *tracer, PyObject *generator, _PyInterpreterFrame *frame)
{
    PyCodeObject *code = qc_iframe_code(frame);
    PyCodeObject *twin = qc_probe_exchange(tracer, code, frame->f_globals);
    qc_link *link = twin != NULL ? qc_codemap_find(tracer->store->map, twin) : NULL;
    int result = twin != NULL ? 0 : -1;
    if (twin != NULL && twin != code) {
        result = move_generator(tracer, generator, frame, link);
    }
    if (result == 0 && link->record != NULL && tracer->store->branch) {
        uint32_t unit = qc_twin_origin(link->twin, qc_frame_unit(frame) + 1);
        if (qc_opcode_is_resume(qc_code_shown(link->twin->original)[2 * (size_t)unit])) {
            qc_record_hit(link->record, unit, QC_HIT_PASSED); /* counts if it does go on */
        }
    }
    Py_XDECREF(twin);
    return result;
}

/* What entering all functions needs to know: most stand beside others of the same file. */
typedef struct entering {
    qc_tracer *tracer;
    PyObject *passed; /* strong: the name of a file that is not measured; NULL at first */
} entering;

/* Is there nothing to do for code that was never met, because its file is not measured? 1 or 0, or
 * -1 with an exception set. (Tests that are not measured may begin contexts.) */
static int passes(entering *all, PyCodeObject *code, PyObject *globals)
{
    const qc_store *store = all->tracer->store;
    if (store->records.contexts || qc_codemap_find(store->map, code) != NULL) {
        return 0;
    }
    if (code->co_filename == all->passed) {
        return 1;
    }
    int measured = qc_probe_measures(all->tracer, code, globals);
    if (measured == 0) {
        Py_XSETREF(all->passed, Py_NewRef(code->co_filename));
    }
    return measured < 0 ? -1 : !measured;
}

static int enter_function(entering *all, PyObject *function)
{
    qc_tracer *tracer = all->tracer;
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    int result = passes(all, code, PyFunction_GET_GLOBALS(function));
    if (result != 0) {
        return result < 0 ? -1 : 0;
    }
    PyCodeObject *twin = qc_probe_exchange(tracer, code, PyFunction_GET_GLOBALS(function));
    result = twin != NULL ? 0 : -1;
    if (twin != NULL && twin != code) {
        result = qc_function_set_code(function, tracer->state->str___code__, twin);
    }
    Py_XDECREF(twin);
    return result;
}

static int enter_object(PyObject *object, void *context)
{
    entering *all = context;
    if (PyFunction_Check(object)) {
        return enter_function(all, object);
    }
    _PyInterpreterFrame *frame = qc_suspended_frame(object);
    return frame != NULL ? enter_generator(all->tracer, object, frame) : 0;
}

static int leave_function(PyObject *function, void *context)
{
    qc_state *state = context;
    if (!PyFunction_Check(function)) {
        return 0;
    }
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    qc_link *link = qc_codemap_find(state->map, code);
    if (link == NULL || link->twin == NULL) {
        return 0;
    }
    return qc_function_set_code(function, state->str___code__, link->twin->original);
}

/* ------------------------------------------------------------------ frames that run */

/* Code that runs already goes on as it is; what it makes functions and classes of are its
 * constants.
 */
static int enter_constants(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    bool changed = false;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(code->co_consts); k++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, k);
        if (!PyCode_Check(item)) {
            continue;
        }
        PyObject *twin = (PyObject *)qc_probe_exchange(tracer, (PyCodeObject *)item, globals);
        if (twin == NULL) {
            return -1;
        }
        changed |= twin != item;
        PyTuple_SET_ITEM(code->co_consts, k, twin);
        Py_DECREF(item);
    }
    return changed ? PyList_Append(tracer->state->entered, (PyObject *)code) : 0;
}

/* Notes the frames; visiting them runs Python code, and they may be gone then. */
static int note_frame(_PyInterpreterFrame *frame, void *context)
{
    PyObject *pair = PyTuple_Pack(2, qc_iframe_code(frame), frame->f_globals);
    int result = pair != NULL ? PyList_Append(context, pair) : -1;
    Py_XDECREF(pair);
    return result;
}

static int enter_running(qc_tracer *tracer, PyCodeObject *code, PyObject *globals)
{
    enum { GENERATOR = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };
    if (qc_twin_of(tracer->store->map, code) != NULL) {
        return 0;
    }
    if (code->co_flags & GENERATOR) {
        PyCodeObject *twin = qc_probe_exchange(tracer, code, globals);
        if (twin == NULL) {
            return -1;
        }
        if (twin != code) {
            qc_store_doubt(tracer->store,
                           "%U, %U line %d, is a generator that was running when measuring "
                           "started; what it runs from then on is missing",
                           code->co_qualname, code->co_filename, code->co_firstlineno);
        }
        Py_DECREF(twin);
    }
    return enter_constants(tracer, code, globals);
}

static int enter_frames(qc_tracer *tracer)
{
    PyObject *frames = PyList_New(0);
    int collecting = PyGC_Disable(); /* what it finds may have another thread run, and end frames */
    int result = frames != NULL ? qc_each_running_frame(note_frame, frames) : -1;
    if (collecting) {
        (void)PyGC_Enable();
    }
    for (Py_ssize_t k = 0; result == 0 && k < PyList_GET_SIZE(frames); k++) {
        PyObject *pair = PyList_GET_ITEM(frames, k);
        result = enter_running(tracer, (PyCodeObject *)PyTuple_GET_ITEM(pair, 0),
                               PyTuple_GET_ITEM(pair, 1));
    }
    Py_XDECREF(frames);
    return result;
}

static void leave_constants(const qc_state *state, PyCodeObject *code)
{
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(code->co_consts); k++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, k);
        const qc_twin *twin =
            PyCode_Check(item) ? qc_twin_of(state->map, (PyCodeObject *)item) : NULL;
        if (twin != NULL) {
            PyTuple_SET_ITEM(code->co_consts, k, Py_NewRef(twin->original));
            Py_DECREF(item);
        }
    }
}

/* ------------------------------------------------------------------ all of them */

int qc_probe_enter(qc_tracer *tracer)
{
    entering all = {.tracer = tracer};
    int result = enter_frames(tracer) < 0 ? -1 : each_object(enter_object, &all);
    Py_XDECREF(all.passed);
    return result;
}

int qc_probe_leave(qc_state *state)
{
    while (PyList_GET_SIZE(state->entered) > 0) {
        Py_ssize_t last = PyList_GET_SIZE(state->entered) - 1;
        leave_constants(state, (PyCodeObject *)PyList_GET_ITEM(state->entered, last));
        if (PyList_SetSlice(state->entered, last, last + 1, NULL) < 0) {
            return -1;
        }
    }
    return each_object(leave_function, state);
}

#endif
