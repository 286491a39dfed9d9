/* The only place that knows CPython versions and compilers.
 *
 * Everything that differs between CPython 3.11 and 3.15, or between compilers, stands here as a
 * static inline function or a QC_HAVE_ fact, named by what it is for. Other files never look at
 * PY_VERSION_HEX and never include an internal header of CPython.
 *
 * Include this before any other header.
 */
#ifndef QC_COMPAT_H
#define QC_COMPAT_H

#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1 /* for f_trace, f_lineno and a frame's stack, which have no C API */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#include <Python.h>
#include "internal/pycore_frame.h"
#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe.h" /* for the top of a frame's stack */
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#undef Py_BUILD_CORE
#include <opcode.h>
#include <stdbool.h>
#include <stdint.h>
#include <structmember.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x03100000
#error "quickcover's C extension supports CPython 3.11 to 3.15"
#endif

#if defined(__GNUC__)
#define QC_LIKELY(x) __builtin_expect(!!(x), 1)
#define QC_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define QC_LIKELY(x) (x)
#define QC_UNLIKELY(x) (x)
#endif

/* sys.monitoring: PEP 669, 3.12. */
#define QC_HAVE_MONITORING (PY_VERSION_HEX >= 0x030C0000)
/* BRANCH_LEFT and BRANCH_RIGHT, which can be disabled one by one: 3.14. */
#define QC_HAVE_BRANCH_SIDES (PY_VERSION_HEX >= 0x030E0000)
/* Modules can declare that subinterpreters are not supported: 3.12. */
#define QC_HAVE_SUBINTERPRETER_SLOT (PY_VERSION_HEX >= 0x030C0000)
/* A return event can be the first to show a new line (coverage.py's tracer records it): 3.14. */
#define QC_RETURN_SHOWS_NEW_LINE (PY_VERSION_HEX >= 0x030E0000)
/* At the return event of a yield, f_lasti is that of YIELD_VALUE, but on 3.13 that of the RESUME
 * after it: https://github.com/python/cpython/issues/113728 */
#define QC_LASTI_IS_YIELD ((PY_VERSION_HEX & 0xFFFF0000) != 0x030D0000)
/* A generator goes on without a call event when an exception was thrown into it, and through its
 * `yield from` or `await` into another one, and that one returned: 3.11. */
#define QC_RESUMES_UNSEEN (PY_VERSION_HEX < 0x030C0000)

/* --------------------------------------------------------------------------- frames */

/* The frame's code object, borrowed: the frame keeps it alive. */
static inline PyCodeObject *qc_frame_code(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    Py_DECREF(code);
    return code;
}

/* The frame's line; a field read during a line event, which sets f_lineno on every version. */
static inline int qc_frame_line(PyFrameObject *frame)
{
    return frame->f_lineno > 0 ? frame->f_lineno : PyFrame_GetLineNumber(frame);
}

/* Makes frame.f_trace what sys.settrace(sys.gettrace()) expects to find there. */
static inline void qc_frame_set_trace(PyFrameObject *frame, PyObject *tracer)
{
    if (frame->f_trace != tracer) {
        PyObject *old = frame->f_trace;
        frame->f_trace = Py_NewRef(tracer);
        Py_XDECREF(old);
    }
}

/* The argument of the RESUME at byte offset `lasti`; instrumenting leaves arguments alone. */
static inline int qc_code_argument(PyCodeObject *code, int lasti)
{
#ifdef ENTER_EXECUTOR
    if (((unsigned char *)code->co_code_adaptive)[lasti] == ENTER_EXECUTOR) {
        return 0; /* the JIT enters at the start of a call */
    }
#endif
    return ((unsigned char *)code->co_code_adaptive)[lasti + 1];
}

/* At a return event that no exception made: does the frame end, or does it yield? */
static inline bool qc_frame_ends(PyFrameObject *frame)
{
    PyCodeObject *code = qc_frame_code(frame);
    return ((unsigned char *)code->co_code_adaptive)[PyFrame_GetLasti(frame)] == RETURN_VALUE;
}

/* Is `tracer` the object of this thread's trace function? */
static inline bool qc_thread_traced_by(PyObject *tracer)
{
    return PyThreadState_Get()->c_traceobj == tracer;
}

#if QC_HAVE_MONITORING
/* Byte offset of the instruction that the innermost Python frame executes. */
static inline int qc_current_lasti(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyUnstable_InterpreterFrame_GetLasti(PyThreadState_Get()->current_frame);
#else
    return PyUnstable_InterpreterFrame_GetLasti(PyThreadState_Get()->cframe->current_frame);
#endif
}
#endif

#if QC_HAVE_BRANCH_SIDES
/* At a line event where an exception handler begins: the exception, borrowed; else NULL or any
 * other exception object that is on top of the stack. */
static inline PyObject *qc_current_exception(void)
{
    struct _PyInterpreterFrame *frame = PyThreadState_Get()->current_frame;
    if (frame->stackpointer == NULL || frame->stackpointer <= _PyFrame_Stackbase(frame)) {
        return NULL;
    }
    _PyStackRef top = frame->stackpointer[-1];
    if (PyStackRef_IsNull(top) || PyStackRef_IsTaggedInt(top)) {
        return NULL;
    }
    PyObject *object = PyStackRef_AsPyObjectBorrow(top);
    return PyExceptionInstance_Check(object) ? object : NULL;
}

/* Byte offset of the instruction that raised it in the running frame; -1 if it came otherwise. */
static inline int qc_exception_lasti(PyObject *exception, PyCodeObject *code)
{
    PyTracebackObject *traceback =
        (PyTracebackObject *)((PyBaseExceptionObject *)exception)->traceback;
    if (traceback == NULL || !PyTraceBack_Check((PyObject *)traceback)) {
        return -1;
    }
    PyFrameObject *running = PyEval_GetFrame();
    return traceback->tb_frame == running && qc_frame_code(running) == code ? traceback->tb_lasti
                                                                            : -1;
}
#endif

/* --------------------------------------------------------------------------- code objects */

static inline Py_ssize_t qc_code_request_extra_index(freefunc on_free)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Eval_RequestCodeExtraIndex(on_free);
#else
    return _PyEval_RequestCodeExtraIndex(on_free);
#endif
}

/* What hangs on the code object under `index`; NULL if nothing does. Never fails. */
static inline void *qc_code_get_extra(PyCodeObject *code, Py_ssize_t index)
{
    void *extra = NULL;
#if PY_VERSION_HEX >= 0x030C0000
    (void)PyUnstable_Code_GetExtra((PyObject *)code, index, &extra);
#else
    (void)_PyCode_GetExtra((PyObject *)code, index, &extra);
#endif
    return extra;
}

/* 0, or -1 with an exception set. */
static inline int qc_code_set_extra(PyCodeObject *code, Py_ssize_t index, void *extra)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Code_SetExtra((PyObject *)code, index, extra);
#else
    return _PyCode_SetExtra((PyObject *)code, index, extra);
#endif
}

/* The number of code units (2 bytes each) of a code object. */
static inline uint32_t qc_code_units(PyCodeObject *code)
{
    return (uint32_t)Py_SIZE(code);
}

/* --------------------------------------------------------------------------- exceptions */

/* Takes the current exception, normalized, with its traceback; NULL if there is none. */
static inline PyObject *qc_error_take(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) {
        return NULL;
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

/* --------------------------------------------------------------------------- opcodes */

/* Opcodes whose names differ or that do not exist everywhere; -1 matches nothing. */
enum {
#ifdef NOT_TAKEN
    QC_OP_NOT_TAKEN = NOT_TAKEN,
#else
    QC_OP_NOT_TAKEN = -1,
#endif
#ifdef RETURN_CONST
    QC_OP_RETURN_CONST = RETURN_CONST,
#else
    QC_OP_RETURN_CONST = -1,
#endif
};

#endif
