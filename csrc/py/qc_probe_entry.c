#include "qc_compat.h"

#include "qc_engine_probe.h"
#include "qc_probe_entry.h"
#include "qc_probe_slots.h"
#include "qc_probe_twin.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ exec and eval */

/* Calls `function`, builtins.exec or eval, with the code to run exchanged for its twin. */
static PyObject *run(PyObject *module, PyObject *function, PyObject *const *args,
                     Py_ssize_t count, PyObject *names)
{
    enum { MAX_ARGUMENTS = 8 };
    qc_state *state = qc_state_of_module(module);
    qc_tracer *tracer = state->map->prober;
    Py_ssize_t all = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0);
    if (tracer == NULL || count < 1 || all > MAX_ARGUMENTS || !PyCode_Check(args[0])) {
        return PyObject_Vectorcall(function, args, (size_t)count, names);
    }
    PyObject *copy[MAX_ARGUMENTS];
    PyObject *globals = count > 1 && args[1] != Py_None ? args[1] : PyEval_GetGlobals();
    Py_INCREF(tracer);
    PyCodeObject *code = qc_probe_exchange(tracer, (PyCodeObject *)args[0], globals);
    if (code == NULL) {
        qc_tracer_fail(tracer);
        code = (PyCodeObject *)Py_NewRef(args[0]);
    }
    Py_DECREF(tracer);
    memcpy(copy, args, (size_t)all * sizeof *args);
    copy[0] = (PyObject *)code;
    PyObject *result = PyObject_Vectorcall(function, copy, (size_t)count, names);
    Py_DECREF(code);
    return result;
}

static PyObject *run_exec(PyObject *module, PyObject *const *args, Py_ssize_t count,
                          PyObject *names)
{
    return run(module, qc_state_of_module(module)->builtin_exec, args, count, names);
}

static PyObject *run_eval(PyObject *module, PyObject *const *args, Py_ssize_t count,
                          PyObject *names)
{
    return run(module, qc_state_of_module(module)->builtin_eval, args, count, names);
}

PyDoc_STRVAR(exec_doc, "exec($module, source, globals=None, locals=None, /, *, closure=None)\n"
                       "--\n\nExecute the given source in the context of globals and locals.\n\n"
                       "The source may be a string representing one or more Python statements\n"
                       "or a code object as returned by compile().\n"
                       "The globals must be a dictionary and locals can be any mapping,\n"
                       "defaulting to the current globals and locals.\n"
                       "If only globals is given, locals defaults to it.\n"
                       "The closure must be a tuple of cellvars, and can only be used\n"
                       "when source is a code object requiring exactly that many cellvars.");
PyDoc_STRVAR(eval_doc, "eval($module, source, globals=None, locals=None, /)\n"
                       "--\n\nEvaluate the given source in the context of globals and locals.\n\n"
                       "The source may be a string representing a Python expression\n"
                       "or a code object as returned by compile().\n"
                       "The globals must be a dictionary and locals can be any mapping,\n"
                       "defaulting to the current globals and locals.\n"
                       "If only globals is given, locals defaults to it.");

/* PyCFunction keeps a pointer to its PyMethodDef; never written to. */
static PyMethodDef EXEC = {"exec", (PyCFunction)(void (*)(void))run_exec,
                           METH_FASTCALL | METH_KEYWORDS, exec_doc};
static PyMethodDef EVAL = {"eval", (PyCFunction)(void (*)(void))run_eval,
                           METH_FASTCALL | METH_KEYWORDS, eval_doc};

int qc_probe_entry_init(PyObject *module)
{
    qc_state *state = qc_state_of_module(module);
    PyObject *name = PyUnicode_FromString("builtins");
    if (name != NULL) {
        state->our_exec = PyCFunction_NewEx(&EXEC, module, name);
        state->our_eval = PyCFunction_NewEx(&EVAL, module, name);
        Py_DECREF(name);
    }
    return state->our_exec != NULL && state->our_eval != NULL ? 0 : -1;
}

/* Puts `ours` in place of builtins.`name`, which goes to *theirs. */
static int replace(const char *name, PyObject *ours, PyObject **theirs)
{
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *found = builtins != NULL ? PyObject_GetAttrString(builtins, name) : NULL;
    int result = found == NULL ? -1 : found == ours ? 0 : PyObject_SetAttrString(builtins, name, ours);
    if (result == 0 && found != ours) {
        Py_XSETREF(*theirs, Py_NewRef(found));
    }
    Py_XDECREF(builtins);
    Py_XDECREF(found);
    return result;
}

static int put_back(const char *name, PyObject *ours, PyObject *theirs)
{
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *found = builtins != NULL ? PyObject_GetAttrString(builtins, name) : NULL;
    int result = builtins != NULL ? 0 : -1;
    if (found == ours && theirs != NULL) {
        result = PyObject_SetAttrString(builtins, name, theirs);
    }
    Py_XDECREF(builtins);
    Py_XDECREF(found);
    return result;
}

int qc_probe_entry_open(qc_state *state)
{
    if (qc_probe_slots_open(state->map) < 0 ||
        replace("exec", state->our_exec, &state->builtin_exec) < 0) {
        return -1;
    }
    return replace("eval", state->our_eval, &state->builtin_eval);
}

int qc_probe_entry_close(qc_state *state)
{
    qc_probe_slots_close();
    int first = put_back("exec", state->our_exec, state->builtin_exec);
    int second = put_back("eval", state->our_eval, state->builtin_eval);
    return first < 0 || second < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------ trace functions */

static int lay_out_lines(qc_link *link, void *Py_UNUSED(context))
{
    if (link->twin != NULL && qc_twin_lay_out_lines(link) < 0) {
        PyErr_Clear();
    }
    return 0;
}

static int on_audit(const char *event, PyObject *Py_UNUSED(args), void *context)
{
    qc_codemap *map = context;
    if (strcmp(event, "sys.settrace") == 0 && map->prober != NULL) {
        map->traced = true;
        return qc_codemap_each(map, lay_out_lines, NULL);
    }
    return 0;
}

int qc_probe_watch(qc_codemap *map)
{
    if (!map->watched) {
        if (PySys_AddAuditHook(on_audit, map) < 0) {
            return -1;
        }
        map->watched = true;
        (void)qc_codemap_hold(map); /* the hook stays */
    }
    if (qc_active_tracefunc() != NULL) {
        map->traced = true;
    }
    return 0;
}

/* ------------------------------------------------------------------ functions that exist */

/* Calls visit(object, context) for every object that the collector knows. 0, or -1 with an exception set. */
static int each_object(int (*visit)(PyObject *object, void *context), void *context)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *objects = gc != NULL ? PyObject_CallMethod(gc, "get_objects", NULL) : NULL;
    int result = objects != NULL ? 0 : -1;
    for (Py_ssize_t k = 0; result == 0 && k < PyList_GET_SIZE(objects); k++) {
        result = visit(PyList_GET_ITEM(objects, k), context);
    }
    Py_XDECREF(gc);
    Py_XDECREF(objects);
    return result;
}

static int enter_generator(qc_tracer *tracer, PyObject *generator, _PyInterpreterFrame *frame)
{
    PyCodeObject *code = frame->f_code;
    PyCodeObject *twin = qc_probe_exchange(tracer, code, frame->f_globals);
    int result = twin != NULL ? 0 : -1;
    if (twin != NULL && twin != code) {
        const qc_link *link = qc_codemap_find(tracer->store->map, twin);
        /* Where it goes on, and so the unit before, stands as in the original. */
        int64_t unit = qc_twin_place(link->twin, qc_frame_unit(frame) + 1);
        bool fits = twin->co_stacksize <= code->co_stacksize; /* into the frame that is there */
        if (unit > 0 && fits) {
            qc_generator_exchange(generator, twin, (uint32_t)unit - 1);
        }
    }
    Py_XDECREF(twin);
    return result;
}

static int enter_object(PyObject *function, void *context)
{
    qc_tracer *tracer = context;
    _PyInterpreterFrame *frame = qc_suspended_frame(function);
    if (frame != NULL) {
        return enter_generator(tracer, function, frame);
    }
    if (!PyFunction_Check(function)) {
        return 0;
    }
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    PyCodeObject *twin = qc_probe_exchange(tracer, code, PyFunction_GET_GLOBALS(function));
    int result = twin != NULL ? 0 : -1;
    if (twin != NULL && twin != code) {
        result = PyObject_SetAttrString(function, "__code__", (PyObject *)twin);
    }
    Py_XDECREF(twin);
    return result;
}

int qc_probe_enter_functions(qc_tracer *tracer)
{
    return each_object(enter_object, tracer);
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
    return PyObject_SetAttrString(function, "__code__", (PyObject *)link->twin->original);
}

int qc_probe_leave_functions(qc_state *state)
{
    return each_object(leave_function, state);
}

#endif
