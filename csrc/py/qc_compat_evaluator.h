/* The function that evaluates Python's frames (PEP 523), and frames that it is given: a part of
 * qc_compat.h. While CPython's own is not in place, it calls one for every Python function, where
 * else its loop goes on in the same call.
 */
#ifndef QC_COMPAT_EVALUATOR_H
#define QC_COMPAT_EVALUATOR_H

#include "qc_compat_frames.h"

#if QC_HAVE_PROBES

static inline _PyFrameEvalFunction qc_evaluator(void)
{
    return _PyInterpreterState_GetEvalFrameFunc(PyInterpreterState_Get());
}

/* Puts `function` in the place of `expected`. 0, or -1 where another tool has set its own. */
static inline int qc_set_evaluator(_PyFrameEvalFunction function, _PyFrameEvalFunction expected)
{
    if (qc_evaluator() != expected) {
        return -1;
    }
    _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), function);
    return 0;
}

/* What evaluating `frame` gives if its code, which has not begun, is `code` instead; NULL: the
 * exception that is set. */
static inline PyObject *qc_evaluate_instead(PyThreadState *thread, _PyInterpreterFrame *frame,
                                            PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    int more = code != NULL ? code->co_framesize - qc_iframe_code(frame)->co_framesize : 0;
    if (more > 0 && thread->datastack_limit - thread->datastack_top > more) {
        thread->datastack_top += more; /* it is the last on its stack */
#if QC_AT_LEAST_3_13
        Py_SETREF(frame->f_executable, Py_NewRef(code));
        frame->instr_ptr = _PyCode_CODE(code);
#else
        Py_SETREF(frame->f_code, (PyCodeObject *)Py_NewRef(code));
        frame->prev_instr = _PyCode_CODE(code) - 1;
#endif
    }
    return qc_evaluator()(thread, frame, code == NULL);
#else
    (void)thread;
    return code != NULL ? PyEval_EvalCode((PyObject *)code, frame->f_globals, frame->f_locals)
                        : NULL;
#endif
}

/* Is this the frame of a call that makes a generator, and moves into it? */
static inline bool qc_iframe_makes_generator(const _PyInterpreterFrame *frame)
{
    enum { GENERATOR = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };
    return qc_iframe_code(frame)->co_flags & GENERATOR && frame->owner != FRAME_OWNED_BY_GENERATOR;
}

#if QC_AT_LEAST_3_13
static inline bool qc_iframe_make_cell(_PyInterpreterFrame *frame, uint32_t place)
{
    PyObject *cell = PyCell_New(frame->localsplus[place]);
    if (cell == NULL) {
        PyErr_Clear();
        return false;
    }
    Py_XSETREF(frame->localsplus[place], cell);
    return true;
}

static inline void qc_iframe_copy_free_variables(_PyInterpreterFrame *frame)
{
    const PyCodeObject *code = qc_iframe_code(frame);
    PyObject *closure = ((PyFunctionObject *)frame->f_funcobj)->func_closure;
    PyObject **first = &frame->localsplus[code->co_nlocalsplus - code->co_nfreevars];
    for (int k = 0; k < code->co_nfreevars; k++) {
        first[k] = Py_NewRef(PyTuple_GET_ITEM(closure, k));
    }
}
#endif

/* Does what a frame that is about to begin does first: has it know the variables that it shares
 * with other functions. (The first releases of 3.13 crash where somebody looks at them before;
 * those before 3.13 know better.) False when memory ran out. */
static inline bool qc_iframe_prepare(_PyInterpreterFrame *frame)
{
#if QC_AT_LEAST_3_13
    uint32_t argument = 0;
    _Py_CODEUNIT *at = frame->instr_ptr;
    if (at != _PyCode_CODE(qc_iframe_code(frame))) {
        return true;
    }
    for (;; at++) {
        argument = argument << 8 | at->op.arg;
        if (at->op.code == EXTENDED_ARG) {
            continue;
        }
        if (at->op.code == COPY_FREE_VARS) {
            qc_iframe_copy_free_variables(frame);
        } else if (at->op.code != MAKE_CELL) {
            return true;
        } else if (!qc_iframe_make_cell(frame, argument)) {
            return false;
        }
        frame->instr_ptr = at + 1;
        argument = 0;
    }
#else
    (void)frame;
    return true;
#endif
}

/* The frame object of a frame that an evaluator is given: a new reference; NULL, without an
 * exception, if memory ran out. CPython makes those of the innermost frame alone, and only if it
 * has begun. It shows the first line, as for a call event, until qc_frame_goes_on(). */
static inline PyFrameObject *qc_coming_frame(PyThreadState *thread, _PyInterpreterFrame *frame)
{
    if (!qc_iframe_prepare(frame)) {
        return NULL;
    }
    PyCodeObject *code = qc_iframe_code(frame);
    _Py_CODEUNIT *begin = _PyCode_CODE(code) + code->_co_firsttraceable;
#if QC_AT_LEAST_3_13
    _PyInterpreterFrame **innermost = &thread->current_frame;
    _Py_CODEUNIT **place = &frame->instr_ptr;
#else
    _PyInterpreterFrame **innermost = &thread->cframe->current_frame;
    _Py_CODEUNIT **place = &frame->prev_instr;
#endif
    _PyInterpreterFrame *caller = *innermost;
    _Py_CODEUNIT *before = *place;
    frame->previous = caller;
    *innermost = frame;
    *place = before < begin ? begin : before;
    PyFrameObject *object = PyThreadState_GetFrame(thread);
    *innermost = caller;
    *place = before;
    if (object != NULL && before < begin) {
        object->f_lineno = code->co_firstlineno;
    }
    return object;
}

static inline void qc_frame_goes_on(PyFrameObject *object)
{
    object->f_lineno = 0; /* ask the place where it is */
}

/* Evaluates a frame by `next`. That the loop is called takes nothing of what CPython allows of
 * nested calls in C, as if it went on with the frame. (Where C calls a function, it would take.) */
static inline PyObject *qc_evaluate_by(_PyFrameEvalFunction next, PyThreadState *thread,
                                       _PyInterpreterFrame *frame, int throwing)
{
#if QC_CODE_IS_BORN_WARM
    enum { TAKES = 2 };
    thread->c_recursion_remaining += TAKES;
    PyObject *result = next(thread, frame, throwing);
    thread->c_recursion_remaining -= TAKES;
    return result;
#else
    return next(thread, frame, throwing);
#endif
}

#endif

#endif
