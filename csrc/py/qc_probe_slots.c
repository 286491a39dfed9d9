#include "qc_compat_bell.h"
#include "qc_compat_evaluator.h"

#include "qc_engine_probe.h"
#include "qc_probe_calls.h"
#include "qc_probe_events.h"
#include "qc_probe_hook.h"
#include "qc_probe_slots.h"
#include "qc_store.h"
#include "qc_probe_twin.h"

#if QC_HAVE_PROBES

/* Static, against the rule, because CPython's are: a slot can't be told where its state is. */
static struct {
    qc_codemap *map; /* strong; its prober runs */
    PyGetSetDef *code;
    PyMethodDef *exec, *eval, *settrace;
    getter get_code;
    setter set_code;
    newfunc make;
    PyCFunction run_exec, run_eval, run_settrace;
    unsigned long main_thread;       /* that will run the main program */
    PyInterpreterState *interpreter; /* that is measured; others have these slots, too */
} slots;

/* What is to run in place of `code`; it itself if it can't be exchanged. A new reference; NULL with
 * an exception that is the program's. */
static PyObject *exchanged(PyObject *code, PyObject *globals)
{
    qc_tracer *tracer = slots.map != NULL ? slots.map->prober : NULL;
    if (tracer == NULL || !PyCode_Check(code) || PyInterpreterState_Get() != slots.interpreter) {
        return Py_NewRef(code);
    }
    Py_INCREF(tracer);
    tracer->store->activity = true;
    PyObject *twin = (PyObject *)qc_probe_exchange(tracer, (PyCodeObject *)code, globals);
    if (twin == NULL && qc_tracer_fail(tracer) == 0) {
        twin = Py_NewRef(code);
    }
    Py_DECREF(tracer);
    return twin;
}

/* ------------------------------------------------------------------ functions */

/* Code with a bell is not shown where its twin is to come. */
static PyObject *get_code(PyObject *function, void *closure)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    const qc_link *link = qc_codemap_find(slots.map, code);
    if (link != NULL && link->bell != NULL) {
        PyObject *twin = exchanged((PyObject *)code, PyFunction_GET_GLOBALS(function));
        if (twin == NULL) {
            return NULL;
        }
        qc_function_put_code(function, (PyCodeObject *)twin);
        Py_DECREF(twin);
    }
    return slots.get_code(function, closure);
}

static int set_code(PyObject *function, PyObject *value, void *closure)
{
    if (value == NULL) {
        return slots.set_code(function, value, closure);
    }
    PyObject *code = exchanged(value, PyFunction_GET_GLOBALS(function));
    int result = code != NULL ? slots.set_code(function, code, closure) : -1;
    Py_XDECREF(code);
    return result;
}

/* types.FunctionType(code, globals, ...) */
static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 2 || !PyCode_Check(PyTuple_GET_ITEM(args, 0))) {
        return slots.make(type, args, kwargs);
    }
    PyObject *code = exchanged(PyTuple_GET_ITEM(args, 0), PyTuple_GET_ITEM(args, 1));
    PyObject *changed =
        code != NULL ? PyTuple_New(count) : NULL; /* a whole slice would be the tuple itself */
    for (Py_ssize_t k = 1; changed != NULL && k < count; k++) {
        PyTuple_SET_ITEM(changed, k, Py_NewRef(PyTuple_GET_ITEM(args, k)));
    }
    PyObject *result = NULL;
    if (changed != NULL) {
        PyTuple_SET_ITEM(changed, 0, Py_NewRef(code));
        result = slots.make(type, changed, kwargs);
    }
    Py_XDECREF(code);
    Py_XDECREF(changed);
    return result;
}

/* The negative of a class, which no class has; a bell asks for it. */
static PyObject *negative(PyObject *class)
{
    const qc_tracer *tracer = slots.map != NULL ? slots.map->prober : NULL;
    bool here = tracer != NULL && PyInterpreterState_Get() == slots.interpreter;
    PyObject *ring = here ? qc_hook_begin_ring(tracer->state->hook) : NULL;
    if (ring == NULL) {
        PyErr_Format(PyExc_TypeError, "bad operand type for unary -: '%.200s'",
                     Py_TYPE(class)->tp_name);
    }
    return ring;
}

/* ------------------------------------------------------------------ exec and eval */

enum { MAX_ARGUMENTS = 8 };

/* The globals that exec() or eval() is given. */
static PyObject *globals_of(PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *globals = count > 1 ? args[1] : Py_None;
    for (Py_ssize_t k = 0; names != NULL && k < PyTuple_GET_SIZE(names); k++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, k), "globals") == 0) {
            globals = args[count + k];
        }
    }
    return globals != Py_None ? globals : PyEval_GetGlobals();
}

/* Calls exec() or eval() with the code to run exchanged, if it is given any. */
static PyObject *run_exchanged(PyCFunction function, int flags, PyObject *module,
                               PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *copy[MAX_ARGUMENTS];
    Py_ssize_t all = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0);
    if (count < 1 || all > MAX_ARGUMENTS || !PyCode_Check(args[0])) {
        return qc_call_method(function, flags, module, args, count, names);
    }
    memcpy(copy, args, (size_t)all * sizeof *args);
    copy[0] = exchanged(args[0], globals_of(args, count, names));
    if (copy[0] == NULL) {
        return NULL;
    }
    PyObject *result = qc_call_method(function, flags, module, copy, count, names);
    Py_DECREF(copy[0]);
    return result;
}

static PyObject *run_exec(PyObject *module, PyObject *const *args, Py_ssize_t count,
                          PyObject *names)
{
    return run_exchanged(slots.run_exec, QC_FLAGS_WITH_NAMES, module, args, count, names);
}

static PyObject *run_eval(PyObject *module, PyObject *const *args, Py_ssize_t count,
                          PyObject *names)
{
    return run_exchanged(slots.run_eval, QC_EVAL_FLAGS, module, args, count,
                         QC_EVAL_FLAGS & METH_KEYWORDS ? names : NULL);
}

/* ------------------------------------------------------------------ the main program */

/* Evaluates all frames from a start in a .pth file to the first frame of the main program, which C
 * runs without exec(). The frame is never begun: the code runs in another one, as its twin. */
static PyObject *evaluate(PyThreadState *thread, _PyInterpreterFrame *frame, int throwing)
{
    PyCodeObject *code = qc_iframe_code(frame);
    if (qc_thread_iframe(thread) != NULL || thread->thread_id != slots.main_thread ||
        (code->co_flags & CO_OPTIMIZED &&
         PyUnicode_CompareWithASCIIString(code->co_name, "_run_module_as_main") != 0)) {
        return _PyEval_EvalFrameDefault(thread, frame, throwing);
    }
    (void)qc_set_evaluator(_PyEval_EvalFrameDefault, evaluate);
    qc_probe_calls_open(slots.map);
    if (code->co_flags & CO_OPTIMIZED) { /* that uses exec() */
        return _PyEval_EvalFrameDefault(thread, frame, throwing);
    }
    PyObject *twin = exchanged((PyObject *)code, frame->f_globals);
    PyObject *result = qc_evaluate_instead(thread, frame, (PyCodeObject *)twin);
    Py_XDECREF(twin);
    return result;
}

void qc_probe_await_program(qc_tracer *tracer)
{
    if (!qc_program_is_to_come()) {
        qc_probe_calls_open(slots.map);
        return;
    }
    slots.main_thread = PyThread_get_thread_ident();
    if (qc_set_evaluator(evaluate, _PyEval_EvalFrameDefault) < 0) {
        qc_probe_calls_open(slots.map);
        qc_store_doubt(tracer->store, "another tool evaluates Python's frames: the main program is "
                                      "missing if it is a script");
    }
}

/* ------------------------------------------------------------------ trace functions */

static int lay_out_lines(qc_link *link, void *Py_UNUSED(context))
{
    return link->twin != NULL ? qc_twin_lay_out_lines(link) : 0;
}

/* sys.settrace(): the trace function is about to see twins. */
static PyObject *run_settrace(PyObject *module, PyObject *function)
{
    if (function != Py_None && PyInterpreterState_Get() == slots.interpreter &&
        qc_probe_expect_trace(slots.map) < 0) {
        return NULL;
    }
    return slots.run_settrace(module, function);
}

int qc_probe_expect_trace(qc_codemap *map)
{
    if (map->traced) {
        return 0;
    }
    map->traced = true;
    return qc_codemap_each(map, lay_out_lines, NULL);
}

/* ------------------------------------------------------------------ open and close */

PyMethodDef *qc_module_method(PyObject *module, const char *name, int flags)
{
    PyModuleDef *definition = PyModule_GetDef(module);
    PyMethodDef *method = definition != NULL ? definition->m_methods : NULL;
    while (method != NULL && method->ml_name != NULL && strcmp(method->ml_name, name) != 0) {
        method++;
    }
    if (method == NULL || method->ml_name == NULL || method->ml_flags != flags) {
        method = NULL;
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_RuntimeError, "quickcover: %s of %R is not CPython's", name, module);
        }
    }
    return method;
}

PyMethodDef *qc_builtin_method(const char *module_name, const char *name, int flags)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyMethodDef *method = module != NULL ? qc_module_method(module, name, flags) : NULL;
    Py_XDECREF(module); /* it is never unloaded */
    return method;
}

static int find_slots(void)
{
    PyObject *descriptor = qc_type_attribute(&PyFunction_Type, "__code__");
    if (descriptor == NULL) {
        return -1;
    }
    if (!Py_IS_TYPE(descriptor, &PyGetSetDescr_Type)) {
        PyErr_SetString(PyExc_RuntimeError, "quickcover: function.__code__ is not CPython's");
        return -1;
    }
    slots.code = ((PyGetSetDescrObject *)descriptor)->d_getset;
    slots.exec = qc_builtin_method("builtins", "exec", QC_FLAGS_WITH_NAMES);
    slots.eval = qc_builtin_method("builtins", "eval", QC_EVAL_FLAGS);
    slots.settrace = qc_builtin_method("sys", "settrace", METH_O);
    if (PyType_Type.tp_as_number == NULL || PyType_Type.tp_as_number->nb_negative != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "quickcover: the negative of a class is not CPython's");
        return -1;
    }
    return slots.exec != NULL && slots.eval != NULL && slots.settrace != NULL ? 0 : -1;
}

int qc_probe_slots_open(qc_codemap *map)
{
    if (slots.map != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the probe engine of another module is running");
        return -1;
    }
    if (find_slots() < 0 || qc_probe_events_open(map) < 0) {
        return -1;
    }
    slots.map = qc_codemap_hold(map);
    slots.interpreter = PyInterpreterState_Get();
    slots.get_code = slots.code->get;
    slots.set_code = slots.code->set;
    slots.make = PyFunction_Type.tp_new;
    PyType_Type.tp_as_number->nb_negative = negative;
    slots.run_exec = slots.exec->ml_meth;
    slots.run_eval = slots.eval->ml_meth;
    slots.run_settrace = slots.settrace->ml_meth;
    slots.code->get = get_code;
    slots.code->set = set_code;
    PyFunction_Type.tp_new = make;
    slots.exec->ml_meth = (PyCFunction)(void (*)(void))run_exec;
    slots.eval->ml_meth = (PyCFunction)(void (*)(void))run_eval;
    slots.settrace->ml_meth = run_settrace;
    return 0;
}

void qc_probe_slots_close(qc_codemap *map)
{
    if (slots.map != map) {
        return;
    }
    (void)qc_set_evaluator(_PyEval_EvalFrameDefault, evaluate);
    qc_probe_calls_close();
    qc_probe_events_close();
    PyType_Type.tp_as_number->nb_negative = NULL;
    slots.code->get = slots.get_code;
    slots.code->set = slots.set_code;
    PyFunction_Type.tp_new = slots.make;
    slots.exec->ml_meth = slots.run_exec;
    slots.eval->ml_meth = slots.run_eval;
    slots.settrace->ml_meth = slots.run_settrace;
    slots.map = NULL;
    qc_codemap_release(map);
}

#endif
