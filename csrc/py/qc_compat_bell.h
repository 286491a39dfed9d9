/* How a bell has another code object run in its frame: a part of qc_compat.h.
 *
 * The interpreter takes code, constants and place from a frame when a Python function that was
 * called from there returns. That function is the ring: it asks the hook and returns. It has no
 * RESUME, so nothing else can run between a bell's first instruction and its last, and its frame
 * passes for one that has not begun yet.
 */
#ifndef QC_COMPAT_BELL_H
#define QC_COMPAT_BELL_H

#include "qc_compat_probe.h"

#if QC_HAVE_PROBES

/* ------------------------------------------------------------------ the code of a bell */

#if !QC_CODE_IS_BORN_WARM
enum { QC_BELL_UNITS = 5 + INLINE_CACHE_ENTRIES_PRECALL + INLINE_CACHE_ENTRIES_CALL };
#else
enum { QC_BELL_UNITS = 4 + INLINE_CACHE_ENTRIES_CALL };
#endif

/* A bell asks for the negative of AssertionError, the one object that an instruction brings without
 * a constant or a name, and calls what it gets. */
static inline void qc_write_bell(uint8_t *code)
{
    memset(code, 0, 2 * (size_t)QC_BELL_UNITS);
#if QC_AT_LEAST_3_13
    code[0] = LOAD_ASSERTION_ERROR;
    code[2] = UNARY_NEGATIVE;
    code[4] = PUSH_NULL;
#else
    code[0] = PUSH_NULL;
    code[2] = LOAD_ASSERTION_ERROR;
    code[4] = UNARY_NEGATIVE;
#endif
#if QC_CODE_IS_BORN_WARM
    code[6] = CALL;
    code[8] = code[9] = 0x7F; /* it is not specialised soon */
#else
    code[6] = PRECALL;
    code[8 + 2 * INLINE_CACHE_ENTRIES_PRECALL] = CALL;
#endif
}

/* The code of the ring, whose constants are the hook and None. */
static inline size_t qc_write_ring(uint8_t *code)
{
    size_t units = 0;
    code[2 * units] = LOAD_CONST;
    code[2 * units++ + 1] = 0;
    qc_trampoline_test(code + 2 * units);
    units += QC_TRAMPOLINE_TEST_UNITS;
    code[2 * units] = LOAD_CONST;
    code[2 * units++ + 1] = 1;
    code[2 * units] = RETURN_VALUE;
    code[2 * units++ + 1] = 0;
    return units;
}

/* From which unit on a frame of this code has begun, to who looks: where its RESUME is. The units
 * before have no other forms, and no caches. */
static inline uint32_t qc_code_begin(const PyCodeObject *code)
{
    return (uint32_t)code->_co_firsttraceable;
}

/* Changes that; gives what it was. */
static inline int qc_code_set_begin(PyCodeObject *code, int unit)
{
    int before = code->_co_firsttraceable;
    code->_co_firsttraceable = unit;
    return before;
}

/* ------------------------------------------------------------------ code objects */

/* Stack slots and what depends on them; gives what it was. */
static inline int qc_code_set_stack(PyCodeObject *code, int slots)
{
    int before = code->co_stacksize;
    code->co_stacksize = slots;
#if QC_CODE_IS_BORN_WARM
    code->co_framesize += slots - before;
#endif
    return before;
}

/* Gives a function another form of its code, without anyone noticing. */
static inline void qc_function_put_code(PyObject *function, PyCodeObject *code)
{
    Py_SETREF(((PyFunctionObject *)function)->func_code, Py_NewRef(code));
}

/* ------------------------------------------------------------------ a bell rings */

/* What is kept of a thread while its bell rings. */
typedef struct qc_ringing {
    _PyFrameEvalFunction evaluator; /* of another tool; NULL */
    uint8_t tracing;                /* 3.11: events are on */
} qc_ringing;

/* Has the call of the ring be unseen: without another tool's evaluator, without events. */
static inline void qc_ring_begins(qc_ringing *ringing)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    ringing->evaluator = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    if (ringing->evaluator == _PyEval_EvalFrameDefault) {
        ringing->evaluator = NULL;
    } else {
        _PyInterpreterState_SetEvalFrameFunc(interpreter, _PyEval_EvalFrameDefault);
    }
#if !QC_CODE_IS_BORN_WARM
    PyThreadState *thread = PyThreadState_Get();
    ringing->tracing = thread->cframe->use_tracing;
    thread->cframe->use_tracing = 0;
#endif
}

/* In the ring: the frame that called it, as if nothing had been done for it but for the events. */
static inline _PyInterpreterFrame *qc_ring_caller(qc_ringing *ringing)
{
    if (ringing->evaluator != NULL) {
        _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), ringing->evaluator);
        ringing->evaluator = NULL;
    }
    return qc_thread_iframe(PyThreadState_Get())->previous;
}

/* Events are on again. */
static inline void qc_ring_ends(qc_ringing *ringing)
{
#if !QC_CODE_IS_BORN_WARM
    if (ringing->tracing) {
        PyThreadState_Get()->cframe->use_tracing = ringing->tracing;
        ringing->tracing = 0;
    }
#else
    (void)ringing;
#endif
}

/* The function that a frame runs, borrowed. */
static inline PyObject *qc_iframe_function(const _PyInterpreterFrame *frame)
{
#if QC_CODE_IS_BORN_WARM
    return frame->f_funcobj;
#else
    return (PyObject *)frame->f_func;
#endif
}

/* Has a frame go on in `code`, at `unit`, when what it called returns. */
static inline void qc_iframe_exchange(_PyInterpreterFrame *frame, PyCodeObject *code, uint32_t unit)
{
#if QC_AT_LEAST_3_13
    frame->instr_ptr = _PyCode_CODE(code) + unit;
    frame->return_offset = 0;
    Py_SETREF(frame->f_executable, Py_NewRef(code));
#else
    frame->prev_instr = _PyCode_CODE(code) + unit - 1;
#if QC_CODE_IS_BORN_WARM
    frame->return_offset = 0;
#endif
    Py_SETREF(frame->f_code, (PyCodeObject *)Py_NewRef(code));
#endif
}

#endif

#endif
