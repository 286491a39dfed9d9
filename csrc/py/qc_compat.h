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
/* For f_trace, f_lineno, a frame's stack and what is instrumented: these have no C API. */
#define Py_BUILD_CORE 1
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#include <Python.h>
#ifdef QC_WANT_OPCODE_TABLES /* and by no other name, for they are no static ones */
#if PY_VERSION_HEX >= 0x030E0000
/* Nobody here asks these versions for them, and theirs would be exported by us. */
#elif PY_VERSION_HEX >= 0x030D0000
#define NEED_OPCODE_METADATA 1
#include "internal/pycore_opcode_metadata.h"
#elif PY_VERSION_HEX >= 0x030C0000
#define NEED_OPCODE_TABLES 1
#include "internal/pycore_opcode.h"
#endif
#endif
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000
#include "internal/pycore_function.h" /* for the version of a function */
#endif
#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe.h" /* for the top of a frame's stack */
#endif
#if PY_VERSION_HEX >= 0x030C0000
#include "internal/pycore_instruments.h" /* for what is instrumented in a code object */
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#undef Py_BUILD_CORE
#include <frameobject.h>
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

/* How many bits are set. */
static inline uint32_t qc_bits_set(uint64_t bits)
{
#if defined(__GNUC__)
    return (uint32_t)__builtin_popcountll(bits);
#else
    uint32_t count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
#endif
}

/* The position of the lowest bit that is set; one must be. */
static inline unsigned qc_lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned position = 0;
    for (; !(bits & 1); bits >>= 1) {
        position++;
    }
    return position;
#endif
}

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
/* The location of the jump of an `if` and of a `for` is that of the whole statement: 3.11. */
#define QC_JUMP_IS_STATEMENT (PY_VERSION_HEX < 0x030C0000)
/* Where an exception is thrown into a generator, a trace function is called as for a new frame,
 * with f_lasti at the yield, and coverage.py forgets the line: 3.11. */
#define QC_THROW_FORGETS_LINE (PY_VERSION_HEX < 0x030C0000)

/* What the parts of this file that stand in files of their own (qc_compat_*.h) go by. */
#define QC_AT_LEAST_3_12 (PY_VERSION_HEX >= 0x030C0000)
#define QC_AT_LEAST_3_13 (PY_VERSION_HEX >= 0x030D0000)

/* The probe engine knows how to displace code units of this version. Release builds alone: a debug
 * build checks indices of constants, and the hook stands behind the last one. And with the GIL. */
#if !defined(Py_DEBUG) && !defined(Py_GIL_DISABLED)
#define QC_HAVE_PROBES (PY_VERSION_HEX < 0x030E0000)
#else
#define QC_HAVE_PROBES 0
#endif

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

/* The object of this thread's trace function, borrowed; NULL. */
static inline PyObject *qc_thread_trace_object(void)
{
    return PyThreadState_Get()->c_traceobj;
}

/* This thread's trace function; NULL. */
static inline Py_tracefunc qc_thread_trace_function(void)
{
    return PyThreadState_Get()->c_tracefunc;
}

/* Is `tracer` the object of this thread's trace function? */
static inline bool qc_thread_traced_by(PyObject *tracer)
{
    return qc_thread_trace_object() == tracer;
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

#if QC_HAVE_MONITORING
/* CPython keeps an entry for the line of each code unit, once line events were asked for: the
 * opcode that INSTRUMENTED_LINE stands in front of, then how far away the line is. From 3.13.3 on,
 * a byte with the width of an entry, 2 to 5, comes before them all. What we were built with need
 * not be what we run on, so the data tell: before 3.13.3 they begin with what stands below the line
 * event of unit 0, and no code begins with an instruction that has one. */
static inline bool qc_lines_have_width(const _PyCoMonitoringData *data)
{
    enum { MIN_WIDTH = 2, MAX_WIDTH = 5 };
    uint8_t first = *(const uint8_t *)data->lines;
    return PY_VERSION_HEX >= 0x030E0000 || (first >= MIN_WIDTH && first <= MAX_WIDTH);
}

/* Where CPython keeps the opcode that INSTRUMENTED_LINE stands in front of. */
static inline uint8_t *qc_code_below_line(const _PyCoMonitoringData *data, uint32_t unit)
{
    uint8_t *bytes = (uint8_t *)data->lines;
    return qc_lines_have_width(data) ? bytes + 1 + (size_t)unit * bytes[0]
                                     : bytes + 2 * (size_t)unit;
}

/* Switches an event that DISABLE has switched off on again at one instruction, for one tool whose
 * local events have it: what set_local_events does to a whole code object. `armed` is the opcode
 * with the event, `plain` the same without any. False when CPython's data are in a state in which
 * only set_local_events can do it (nothing is changed then). */
static inline bool qc_code_arm(PyCodeObject *code, uint32_t unit, uint8_t armed, uint8_t plain,
                               int tool)
{
    _PyCoMonitoringData *data = code->_co_monitoring;
    uint8_t *opcode = (uint8_t *)code->co_code_adaptive + 2 * (size_t)unit;
#ifdef ENTER_EXECUTOR
    if (*opcode == ENTER_EXECUTOR) {
        return false;
    }
#endif
    if (data == NULL || data->lines == NULL) {
        return false;
    }
    if (armed == INSTRUMENTED_LINE) {
        if (data->line_tools != NULL) {
            data->line_tools[unit] |= (uint8_t)(1u << tool);
        }
        if (*opcode != INSTRUMENTED_LINE) {
            bool kept = *opcode >= MIN_INSTRUMENTED_OPCODE;
            *qc_code_below_line(data, unit) = kept ? *opcode : plain;
            *opcode = INSTRUMENTED_LINE;
        }
        return true;
    }
    if (data->tools != NULL) {
        data->tools[unit] |= (uint8_t)(1u << tool);
    }
    opcode = *opcode == INSTRUMENTED_LINE ? qc_code_below_line(data, unit) : opcode;
    opcode = *opcode == INSTRUMENTED_INSTRUCTION ? &data->per_instruction_opcodes[unit] : opcode;
    *opcode = armed;
    return true;
}

/* Switches the line event of one instruction off for one tool, as DISABLE does; not where CPython
 * has something else in its place, too. */
static inline void qc_code_disarm_line(PyCodeObject *code, uint32_t unit, int tool)
{
    _PyCoMonitoringData *data = code->_co_monitoring;
    uint8_t *opcode = (uint8_t *)code->co_code_adaptive + 2 * (size_t)unit;
    if (data == NULL || data->lines == NULL || *opcode != INSTRUMENTED_LINE) {
        return;
    }
    uint8_t below = *qc_code_below_line(data, unit);
    if (below == 0 || below == INSTRUMENTED_LINE || below == INSTRUMENTED_INSTRUCTION) {
        return;
    }
    if (data->line_tools != NULL) {
        data->line_tools[unit] &= (uint8_t)~(1u << tool);
    }
    if (data->line_tools == NULL || data->line_tools[unit] == 0) {
        *opcode = below;
    }
}
#endif

#if QC_HAVE_MONITORING
/* A line event that comes right after a RESUME of the same line is left out unless that RESUME is a
 * plain or an instrumented one; and from 3.13 on it isn't, once it has run: it becomes
 * RESUME_CHECK. Is there such a line at the beginning of this code object? */
static inline bool qc_code_hides_first_line(PyCodeObject *code)
{
#ifdef RESUME_CHECK
    int resume = code->_co_firsttraceable;
    int next = resume + (PY_VERSION_HEX >= 0x030F0000 ? 2 : 1);
    return next < (int)qc_code_units(code) &&
           PyCode_Addr2Line(code, 2 * resume) == PyCode_Addr2Line(code, 2 * next);
#else
    (void)code;
    return false;
#endif
}

/* Makes the next call of such code an event again for one tool, and so its first line visible. */
static inline bool qc_code_arm_start(PyCodeObject *code, int tool)
{
    return qc_code_arm(code, (uint32_t)code->_co_firsttraceable, INSTRUMENTED_RESUME, RESUME, tool);
}
#endif

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

/* Sets an exception that was taken, as it was, in place of any other; takes the reference. */
static inline void qc_error_restore(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyObject *type = error != NULL ? Py_NewRef((PyObject *)Py_TYPE(error)) : NULL;
    PyErr_Restore(type, error, error != NULL ? PyException_GetTraceback(error) : NULL);
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
#ifdef CLEANUP_THROW
    QC_OP_CLEANUP_THROW = CLEANUP_THROW,
#else
    QC_OP_CLEANUP_THROW = -1,
#endif
#ifdef CALL_INTRINSIC_1
    QC_OP_CALL_INTRINSIC_1 = CALL_INTRINSIC_1,
#else
    QC_OP_CALL_INTRINSIC_1 = -1,
#endif
#ifdef POP_ITER
    QC_OP_POP_ITER = POP_ITER,
#else
    QC_OP_POP_ITER = -1,
#endif
#ifdef RETURN_CONST
    QC_OP_RETURN_CONST = RETURN_CONST,
#else
    QC_OP_RETURN_CONST = -1,
#endif
};

#endif
