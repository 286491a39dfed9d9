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
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe.h" /* for the top of a frame's stack */
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

/* The probe engine knows how to displace code units of this version. Release builds alone: a debug
 * build checks indices of constants, and the hook stands behind the last one. */
#ifndef Py_DEBUG
#define QC_HAVE_PROBES (PY_VERSION_HEX < 0x030C0000)
#else
#define QC_HAVE_PROBES 0
#endif

/* --------------------------------------------------------------------------- frames */

/* The frame's code object, borrowed: the frame keeps it alive. */
static inline PyCodeObject *
qc_frame_code(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    Py_DECREF(code);
    return code;
}

/* The frame's line; a field read during a line event, which sets f_lineno on every version. */
static inline int
qc_frame_line(PyFrameObject *frame)
{
    return frame->f_lineno > 0 ? frame->f_lineno : PyFrame_GetLineNumber(frame);
}

/* Makes frame.f_trace what sys.settrace(sys.gettrace()) expects to find there. */
static inline void
qc_frame_set_trace(PyFrameObject *frame, PyObject *tracer)
{
    if (frame->f_trace != tracer) {
        PyObject *old = frame->f_trace;
        frame->f_trace = Py_NewRef(tracer);
        Py_XDECREF(old);
    }
}

/* The argument of the RESUME at byte offset `lasti`; instrumenting leaves arguments alone. */
static inline int
qc_code_argument(PyCodeObject *code, int lasti)
{
#ifdef ENTER_EXECUTOR
    if (((unsigned char *)code->co_code_adaptive)[lasti] == ENTER_EXECUTOR) {
        return 0; /* the JIT enters at the start of a call */
    }
#endif
    return ((unsigned char *)code->co_code_adaptive)[lasti + 1];
}

/* Is `tracer` the object of this thread's trace function? */
static inline bool
qc_thread_traced_by(PyObject *tracer)
{
    return PyThreadState_Get()->c_traceobj == tracer;
}

#if QC_HAVE_MONITORING
/* Byte offset of the instruction that the innermost Python frame executes. */
static inline int
qc_current_lasti(void)
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
static inline PyObject *
qc_current_exception(void)
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
static inline int
qc_exception_lasti(PyObject *exception, PyCodeObject *code)
{
    PyTracebackObject *traceback = (PyTracebackObject *)((PyBaseExceptionObject *)exception)->traceback;
    if (traceback == NULL || !PyTraceBack_Check((PyObject *)traceback)) {
        return -1;
    }
    PyFrameObject *running = PyEval_GetFrame();
    return traceback->tb_frame == running && qc_frame_code(running) == code ? traceback->tb_lasti
                                                                             : -1;
}
#endif

/* --------------------------------------------------------------------------- code objects */

static inline Py_ssize_t
qc_code_request_extra_index(freefunc on_free)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Eval_RequestCodeExtraIndex(on_free);
#else
    return _PyEval_RequestCodeExtraIndex(on_free);
#endif
}

/* What hangs on the code object under `index`; NULL if nothing does. Never fails. */
static inline void *
qc_code_get_extra(PyCodeObject *code, Py_ssize_t index)
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
static inline int
qc_code_set_extra(PyCodeObject *code, Py_ssize_t index, void *extra)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Code_SetExtra((PyObject *)code, index, extra);
#else
    return _PyCode_SetExtra((PyObject *)code, index, extra);
#endif
}

/* The number of code units (2 bytes each) of a code object. */
static inline uint32_t
qc_code_units(PyCodeObject *code)
{
    return (uint32_t)Py_SIZE(code);
}

/* --------------------------------------------------------------------------- exceptions */

/* Takes the current exception, normalized, with its traceback; NULL if there is none. */
static inline PyObject *
qc_error_take(void)
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

/* --------------------------------------------------------------------------- probes */

#if QC_HAVE_PROBES

/* A trampoline asks whether the hook on the stack is true, and drops it: 3.11. */
enum { QC_TRAMPOLINE_TEST_UNITS = 1 };

static inline void
qc_trampoline_test(uint8_t *code)
{
    code[0] = POP_JUMP_FORWARD_IF_TRUE;
    code[1] = 0;
}

/* The branch with the same condition that jumps forward. */
static inline uint8_t
qc_opcode_branch_forward(uint8_t opcode)
{
    switch (opcode) {
    case POP_JUMP_BACKWARD_IF_FALSE:
        return POP_JUMP_FORWARD_IF_FALSE;
    case POP_JUMP_BACKWARD_IF_TRUE:
        return POP_JUMP_FORWARD_IF_TRUE;
    case POP_JUMP_BACKWARD_IF_NONE:
        return POP_JUMP_FORWARD_IF_NONE;
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
        return POP_JUMP_FORWARD_IF_NOT_NONE;
    default:
        return opcode;
    }
}

/* Has CPython put the adaptive forms of the instructions in? */
static inline bool
qc_code_is_warm(const PyCodeObject *code)
{
    return code->co_warmup == 0;
}

/* What CPython makes of an instruction when the code gets warm. */
static inline uint8_t
qc_opcode_warm(uint8_t opcode)
{
    static const uint8_t forms[256] = {
        [LOAD_GLOBAL] = LOAD_GLOBAL_ADAPTIVE,
        [LOAD_ATTR] = LOAD_ATTR_ADAPTIVE,
        [LOAD_METHOD] = LOAD_METHOD_ADAPTIVE,
        [STORE_ATTR] = STORE_ATTR_ADAPTIVE,
        [BINARY_SUBSCR] = BINARY_SUBSCR_ADAPTIVE,
        [STORE_SUBSCR] = STORE_SUBSCR_ADAPTIVE,
        [BINARY_OP] = BINARY_OP_ADAPTIVE,
        [COMPARE_OP] = COMPARE_OP_ADAPTIVE,
        [PRECALL] = PRECALL_ADAPTIVE,
        [CALL] = CALL_ADAPTIVE,
        [UNPACK_SEQUENCE] = UNPACK_SEQUENCE_ADAPTIVE,
        [EXTENDED_ARG] = EXTENDED_ARG_QUICK,
        [JUMP_BACKWARD] = JUMP_BACKWARD_QUICK,
        [RESUME] = RESUME_QUICK,
    };
    return forms[opcode] ? forms[opcode] : opcode;
}

/* The form of `opcode` that does the work of the unit after it too, which is `next`; else 0. */
static inline uint8_t
qc_opcode_joined(uint8_t opcode, uint8_t next)
{
    switch (opcode << 8 | next) {
    case LOAD_FAST << 8 | LOAD_FAST:
        return LOAD_FAST__LOAD_FAST;
    case STORE_FAST << 8 | LOAD_FAST:
        return STORE_FAST__LOAD_FAST;
    case LOAD_CONST << 8 | LOAD_FAST:
        return LOAD_CONST__LOAD_FAST;
    case STORE_FAST << 8 | STORE_FAST:
        return STORE_FAST__STORE_FAST;
    case LOAD_FAST << 8 | LOAD_CONST:
        return LOAD_FAST__LOAD_CONST;
    default:
        return 0;
    }
}

static inline bool
qc_opcode_is_joined(uint8_t opcode)
{
    return opcode == LOAD_FAST__LOAD_FAST || opcode == STORE_FAST__LOAD_FAST ||
           opcode == LOAD_CONST__LOAD_FAST || opcode == STORE_FAST__STORE_FAST ||
           opcode == LOAD_FAST__LOAD_CONST;
}

/* Does this form of an instruction rely on the instruction after it (or on the one after that)? */
static inline bool
qc_opcode_looks_ahead(uint8_t opcode)
{
    return opcode == COMPARE_OP_FLOAT_JUMP || opcode == COMPARE_OP_INT_JUMP ||
           opcode == COMPARE_OP_STR_JUMP || opcode == BINARY_OP_INPLACE_ADD_UNICODE ||
           opcode == PRECALL_NO_KW_LIST_APPEND;
}

/* The code object and the unit that the innermost Python frame executes. */
static inline PyCodeObject *
qc_current_code(uint32_t *unit)
{
    _PyInterpreterFrame *frame = PyThreadState_Get()->cframe->current_frame;
    *unit = (uint32_t)(frame->prev_instr - _PyCode_CODE(frame->f_code));
    return frame->f_code;
}

/* The trace function that sees this thread's next line; NULL. */
static inline Py_tracefunc
qc_active_tracefunc(void)
{
    PyThreadState *thread = PyThreadState_Get();
    return thread->cframe->use_tracing && !thread->tracing ? thread->c_tracefunc : NULL;
}

/* Puts another one in its place, behind the same object. */
static inline void
qc_set_tracefunc(Py_tracefunc function)
{
    PyThreadState_Get()->c_tracefunc = function;
}

/* The frame of a generator, coroutine or asynchronous generator that does not run but can go on;
 * NULL for anything else. */
static inline _PyInterpreterFrame *
qc_suspended_frame(PyObject *object)
{
    if (!PyGen_CheckExact(object) && !PyCoro_CheckExact(object) &&
        !PyAsyncGen_CheckExact(object)) {
        return NULL;
    }
    PyGenObject *generator = (PyGenObject *)object;
    bool waits = generator->gi_frame_state < FRAME_EXECUTING;
    return waits ? (_PyInterpreterFrame *)generator->gi_iframe : NULL;
}

/* The unit before the one that a suspended frame goes on at. */
static inline uint32_t
qc_frame_unit(const _PyInterpreterFrame *frame)
{
    return (uint32_t)(frame->prev_instr - _PyCode_CODE(frame->f_code));
}

/* Has a suspended generator go on in another code object, after that unit. */
static inline void
qc_generator_exchange(PyObject *object, PyCodeObject *code, uint32_t unit)
{
    PyGenObject *generator = (PyGenObject *)object;
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)generator->gi_iframe;
    frame->prev_instr = _PyCode_CODE(code) + unit;
    Py_SETREF(frame->f_code, (PyCodeObject *)Py_NewRef(code));
    Py_XSETREF(generator->gi_code, (PyCodeObject *)Py_NewRef(code));
}

/* The code units, which CPython changes as it runs them. */
static inline uint8_t *
qc_code_bytes(PyCodeObject *code)
{
    return (uint8_t *)code->co_code_adaptive;
}

/* Has every reader of co_code get `clean`, whose reference is stolen. */
static inline void
qc_code_show(PyCodeObject *code, PyObject *clean)
{
    Py_XSETREF(code->_co_code, clean);
}

/* The bytes that qc_code_show() was given. */
static inline const uint8_t *
qc_code_shown(const PyCodeObject *code)
{
    return (const uint8_t *)PyBytes_AS_STRING(code->_co_code);
}

/* Are the lines of all units laid out already, as they are for a trace function? */
static inline bool
qc_code_has_lines(const PyCodeObject *code)
{
    return code->_co_linearray != NULL;
}

/* Lays them out: lines[u] for each of the units, -1 for none. 0, or -1 with MemoryError set. */
static inline int
qc_code_set_lines(PyCodeObject *code, const int32_t *lines)
{
    Py_ssize_t units = Py_SIZE(code);
    int32_t *array = PyMem_Malloc((size_t)units * sizeof(int32_t));
    if (array == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(array, lines, (size_t)units * sizeof(int32_t));
    code->_co_linearray = (char *)array;
    code->_co_linearray_entry_size = sizeof(int32_t);
    return 0;
}

/* A code object as `model`, with other code, constants and tables, and `depth` stack slots or more. */
static inline PyCodeObject *
qc_code_new_like(PyCodeObject *model, PyObject *code, PyObject *consts, PyObject *linetable,
                 PyObject *exceptions, int depth)
{
    struct _PyCodeConstructor parts = {
        .filename = model->co_filename,
        .name = model->co_name,
        .qualname = model->co_qualname,
        .flags = model->co_flags,
        .code = code,
        .firstlineno = model->co_firstlineno,
        .linetable = linetable,
        .consts = consts,
        .names = model->co_names,
        .localsplusnames = model->co_localsplusnames,
        .localspluskinds = model->co_localspluskinds,
        .argcount = model->co_argcount,
        .posonlyargcount = model->co_posonlyargcount,
        .kwonlyargcount = model->co_kwonlyargcount,
        .stacksize = depth > model->co_stacksize ? depth : model->co_stacksize,
        .exceptiontable = exceptions,
    };
    return _PyCode_New(&parts);
}

#endif

#endif
