/* What of CPython's insides the probe engine alone touches: a part of qc_compat.h, which says for
 * which versions it holds.
 */
#ifndef QC_COMPAT_PROBE_H
#define QC_COMPAT_PROBE_H

#include "qc_compat.h"
#include "qc_compat_frames.h"

#if QC_HAVE_PROBES

/* Where the stub of a twin that sleeps stands, counted from the RESUME. Where sys.monitoring
 * changes opcodes, which RESUME has it do, a twin must be laid out before. */
enum { QC_STUB_AFTER_RESUME = QC_CODE_IS_BORN_WARM ? 0 : 1 };

/* Trace functions see every instruction but those before the RESUME: 3.11. */
enum { QC_RING_HIDES_EVENTS = !QC_CODE_IS_BORN_WARM };

/* A trampoline asks the hook on the stack, and drops it. 3.11: is it true? That takes one unit.
 * Later: what is its negative? Nobody specialises or watches that. */
enum { QC_TRAMPOLINE_TEST_UNITS = QC_CODE_IS_BORN_WARM ? 2 : 1 };

static inline void qc_trampoline_test(uint8_t *code)
{
#if QC_CODE_IS_BORN_WARM
    code[0] = UNARY_NEGATIVE;
    code[1] = 0;
    code[2] = POP_TOP;
    code[3] = 0;
#else
    code[0] = POP_JUMP_FORWARD_IF_TRUE;
    code[1] = 0;
#endif
}

/* The end of the trampoline of a stub, which goes back to the RESUME, and of one behind a RESUME.
 * It must not look like a jump to there: sys.monitoring would have a line begin there. So it stands
 * where a LOAD_GLOBAL has its caches. */
enum {
    QC_HIDDEN_JUMP_UNITS = QC_CODE_IS_BORN_WARM ? 3 : 0,
    QC_HIDDEN_JUMP_CACHES = 3,
    QC_WAY_BACK_UNITS = QC_HIDDEN_JUMP_UNITS + QC_HIDDEN_JUMP_CACHES
};

static inline void qc_hide_jump(uint8_t *code)
{
#if QC_CODE_IS_BORN_WARM
    code[0] = JUMP_FORWARD;
    code[1] = 2;
    code[2] = LOAD_GLOBAL;
    code[3] = 0;
    code[4] = code[5] = 0; /* CPython writes to its first cache, and not to the other three */
#else
    (void)code;
#endif
}

/* How many units at the target of this branch it jumps over itself, as it has done their work; they
 * are there for a generator that FOR_ITER has run in its frame: END_FOR, and POP_TOP from 3.13 on.
 */
static inline uint32_t qc_opcode_exit_units(uint8_t opcode)
{
#if QC_AT_LEAST_3_13
    return opcode == FOR_ITER ? 2 : 0;
#elif QC_AT_LEAST_3_12
    return opcode == FOR_ITER ? 1 : 0;
#else
    (void)opcode;
    return 0;
#endif
}

/* The most that qc_opcode_exit_units() gives. */
enum { QC_MAX_EXIT_UNITS = 2 };

/* The branch with the same condition that jumps forward. */
static inline uint8_t qc_opcode_branch_forward(uint8_t opcode)
{
#if QC_CODE_IS_BORN_WARM
    return opcode; /* all do */
#else
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
#endif
}

/* Has CPython put the adaptive forms of the instructions in? */
static inline bool qc_code_is_warm(const PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    return code->_co_monitoring == NULL; /* joined instructions would hide events */
#else
    return code->co_warmup == 0;
#endif
}

/* May there be instructions that rely on those after them? */
static inline bool qc_code_may_look_ahead(const PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    (void)code;
    return true;
#else
    return code->co_warmup == 0;
#endif
}

/* What CPython makes of an instruction when the code gets warm. */
static inline uint8_t qc_opcode_warm(uint8_t opcode)
{
#if QC_CODE_IS_BORN_WARM
    return opcode;
#else
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
#endif
}

/* The form of `opcode` that does the work of the unit after it too, which is `next`; else 0. */
static inline uint8_t qc_opcode_joined(uint8_t opcode, uint8_t next)
{
#if QC_AT_LEAST_3_13
    (void)opcode;
    (void)next;
    return 0; /* the compiler joins instructions */
#else
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
#endif
}

static inline bool qc_opcode_is_joined(uint8_t opcode)
{
#if QC_AT_LEAST_3_13
    (void)opcode;
    return false;
#else
    return opcode == LOAD_FAST__LOAD_FAST || opcode == STORE_FAST__LOAD_FAST ||
           opcode == LOAD_CONST__LOAD_FAST || opcode == STORE_FAST__STORE_FAST ||
           opcode == LOAD_FAST__LOAD_CONST;
#endif
}

/* Does this form of an instruction rely on the instruction after it (or on the one after that)? */
static inline bool qc_opcode_looks_ahead(uint8_t opcode)
{
#if QC_AT_LEAST_3_13
    return opcode == BINARY_OP_INPLACE_ADD_UNICODE || opcode == CALL_LIST_APPEND;
#elif QC_AT_LEAST_3_12
    return opcode == BINARY_OP_INPLACE_ADD_UNICODE || opcode == CALL_NO_KW_LIST_APPEND;
#else
    return opcode == COMPARE_OP_FLOAT_JUMP || opcode == COMPARE_OP_INT_JUMP ||
           opcode == COMPARE_OP_STR_JUMP || opcode == BINARY_OP_INPLACE_ADD_UNICODE ||
           opcode == PRECALL_NO_KW_LIST_APPEND;
#endif
}

/* --------------------------------------------------------------------------- code objects */

/* The code units, which CPython changes as it runs them. */
static inline uint8_t *qc_code_bytes(PyCodeObject *code)
{
    return (uint8_t *)code->co_code_adaptive;
}

/* Has every reader of co_exceptiontable, the interpreter too, get `table`. */
static inline void qc_code_set_exceptions(PyCodeObject *code, PyObject *table)
{
    Py_SETREF(code->co_exceptiontable, Py_NewRef(table));
}

/* Has every reader of co_code get `clean`, whose reference is stolen. 0, or -1 with MemoryError. */
static inline int qc_code_show(PyCodeObject *code, PyObject *clean)
{
#if QC_CODE_IS_BORN_WARM
    if (code->_co_cached == NULL) {
        code->_co_cached = PyMem_Calloc(1, sizeof(_PyCoCached));
        if (code->_co_cached == NULL) {
            Py_DECREF(clean);
            PyErr_NoMemory();
            return -1;
        }
    }
    Py_XSETREF(code->_co_cached->_co_code, clean);
#else
    Py_XSETREF(code->_co_code, clean);
#endif
    return 0;
}

/* What qc_code_show() was given, or what CPython keeps once it was asked for co_code; borrowed.
 * NULL: neither. */
static inline PyObject *qc_code_shown_object(const PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    return code->_co_cached != NULL ? code->_co_cached->_co_code : NULL;
#else
    return code->_co_code;
#endif
}

/* Its bytes. */
static inline const uint8_t *qc_code_shown(const PyCodeObject *code)
{
    return (const uint8_t *)PyBytes_AS_STRING(qc_code_shown_object(code));
}

/* Does nothing but the program's instructions, in any form, stand in the code? */
static inline bool qc_code_is_uninstrumented(const PyCodeObject *code)
{
#if QC_AT_LEAST_3_13
    return code->_co_monitoring == NULL && code->co_executors == NULL;
#elif QC_CODE_IS_BORN_WARM
    return code->_co_monitoring == NULL;
#else
    (void)code;
    return true;
#endif
}

/* The instructions as they were compiled, of code that is uninstrumented; as co_code, but quicker.
 */
void qc_code_plain(const PyCodeObject *code, uint8_t *plain);

/* What co_code would show, of code that nobody has asked for it; false: it takes more than a look
 * at the code. */
static inline bool qc_code_peek(const PyCodeObject *code, uint8_t *plain)
{
#if QC_CODE_IS_BORN_WARM
    if (qc_code_is_uninstrumented(code) && code->_co_cached == NULL) {
        qc_code_plain(code, plain);
        return true;
    }
#else
    if (code->co_warmup != 0 && code->_co_code == NULL) { /* it is as it was made */
        memcpy(plain, code->co_code_adaptive, 2 * (size_t)Py_SIZE(code));
        return true;
    }
#endif
    return false;
}

/* Has CPython keep what co_code shows, as it does once it was asked for that. 0, or -1 with
 * MemoryError. */
static inline int qc_code_keep_shown(PyCodeObject *code)
{
    if (qc_code_shown_object(code) != NULL) {
        return 0;
    }
    PyObject *bytecode = PyBytes_FromStringAndSize(NULL, 2 * (Py_ssize_t)Py_SIZE(code));
    if (bytecode != NULL && qc_code_peek(code, (uint8_t *)PyBytes_AS_STRING(bytecode))) {
        return qc_code_show(code, bytecode);
    }
    Py_XDECREF(bytecode);
    bytecode = bytecode != NULL ? PyCode_GetCode(code) : NULL;
    Py_XDECREF(bytecode); /* CPython has it */
    return bytecode != NULL ? 0 : -1;
}

/* Lays out the lines of all units for trace functions: lines[u], -1 for none. 0, or -1 with
 * MemoryError set. */
static inline int qc_code_set_lines(PyCodeObject *code, const int32_t *lines)
{
#if QC_CODE_IS_BORN_WARM
    (void)code; /* there is no such table; a place beyond the location table has no line */
    (void)lines;
    return 0;
#else
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
#endif
}

/* Has CPython lay out the lines anew when a trace function wants them. */
static inline void qc_code_forget_lines(PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    (void)code;
#else
    PyMem_Free(code->_co_linearray);
    code->_co_linearray = NULL;
#endif
}

/* Gives units that were never run what CPython gives to new code: counters of adaptive
 * instructions, and joined instructions. */
static inline void qc_code_quicken(uint8_t *code, uint32_t units)
{
#if QC_CODE_IS_BORN_WARM
    uint16_t warm;
#if QC_AT_LEAST_3_13
    warm = adaptive_counter_warmup().as_counter;
#else
    warm = adaptive_counter_warmup();
#endif
    for (uint32_t unit = 0; unit + 1 < units; unit++) {
        uint8_t *at = code + 2 * (size_t)unit;
        uint8_t joined = qc_opcode_joined(at[0], at[2]);
        if (at[0] != CACHE && at[2] == CACHE) {
            uint16_t counter = warm;
#if QC_AT_LEAST_3_13
            if (at[0] == JUMP_BACKWARD) {
                counter = initial_jump_backoff_counter().as_counter;
            } else if (at[0] == POP_JUMP_IF_FALSE || at[0] == POP_JUMP_IF_TRUE ||
                       at[0] == POP_JUMP_IF_NONE || at[0] == POP_JUMP_IF_NOT_NONE) {
                counter = 0x5555; /* it came from here and there */
            }
#endif
            memcpy(at + 2, &counter, sizeof counter);
            while (unit + 2 < units && code[2 * (size_t)unit + 4] == CACHE) {
                unit++;
            }
            unit++;
        } else if (joined) {
            at[0] = joined;
        }
    }
#else
    (void)code;
    (void)units;
#endif
}

/* --------------------------------------------------------------------------- the interpreter */

/* Is the interpreter still being made ready, as while it runs .pth files? Then C has begun to
 * import `site`, and no program runs yet. */
static inline bool qc_program_is_to_come(void)
{
    _PyInterpreterFrame *frame = qc_thread_iframe(PyThreadState_Get()), *outermost = NULL;
    for (; frame != NULL; frame = frame->previous) {
        outermost = qc_iframe_runs(frame) ? frame : outermost;
    }
    return outermost != NULL &&
           PyUnicode_CompareWithASCIIString(qc_iframe_code(outermost)->co_filename,
                                            "<frozen importlib._bootstrap>") == 0;
}

/* Allows this many calls more (or less) than the recursion limit does: what the engine calls is not
 * the program's recursion. */
static inline void qc_recursion_allow(int calls)
{
#if QC_CODE_IS_BORN_WARM
    PyThreadState_Get()->py_recursion_remaining += calls;
    PyThreadState_Get()->c_recursion_remaining += calls;
#else
    PyThreadState_Get()->recursion_remaining += calls;
#endif
}

/* Gives a function a copy of its code (qc_code_copy), or the original back; `name` is "__code__".
 * 0, or -1 with an exception set. */
static inline int qc_function_set_code(PyObject *function, PyObject *name, PyCodeObject *code)
{
#if QC_AT_LEAST_3_13
    /* CPython takes the version away from a function whose code is set, and then never specialises
     * the calls of it again. Its version is that of its code, which the copy shares. */
    uint32_t version = ((PyFunctionObject *)function)->func_version;
    int result = PyObject_SetAttr(function, name, (PyObject *)code);
    if (result == 0 && version != 0 && version == code->co_version) {
        _PyFunction_SetVersion((PyFunctionObject *)function, version);
    }
    return result;
#else
    return PyObject_SetAttr(function, name, (PyObject *)code);
#endif
}

/* The attributes of a type, borrowed. */
static inline PyObject *qc_type_dict(PyTypeObject *type)
{
#if QC_CODE_IS_BORN_WARM
    PyObject *dict = PyType_GetDict(type);
    Py_XDECREF(dict); /* the type has it */
    return dict;
#else
    return type->tp_dict;
#endif
}

/* An attribute of a type itself, borrowed; NULL with an exception set if it has none. */
static inline PyObject *qc_type_attribute(PyTypeObject *type, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *found = key != NULL ? PyDict_GetItemWithError(qc_type_dict(type), key) : NULL;
    if (found == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_AttributeError, key);
    }
    Py_XDECREF(key);
    return found;
}

/* How CPython has functions called whose definitions are exchanged. */
enum {
    QC_FLAGS_WITH_NAMES = METH_FASTCALL | METH_KEYWORDS,
    QC_EVAL_FLAGS = QC_AT_LEAST_3_13 ? QC_FLAGS_WITH_NAMES : METH_FASTCALL,
    QC_MARSHAL_FLAGS = QC_AT_LEAST_3_13 ? QC_FLAGS_WITH_NAMES : METH_FASTCALL,
};

/* Calls one of them; `names` is NULL where its flags have none. */
static inline PyObject *qc_call_method(PyCFunction function, int flags, PyObject *module,
                                       PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    void (*plain)(void) = (void (*)(void))function;
    if (flags & METH_KEYWORDS) {
        return ((PyObject * (*)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *))
                    plain)(module, args, count, names);
    }
    return ((PyObject * (*)(PyObject *, PyObject *const *, Py_ssize_t)) plain)(module, args, count);
}

/* How many stack slots a twin of this code has: enough for a trampoline anywhere. */
static inline int32_t qc_code_twin_slots(const PyCodeObject *model)
{
    enum { TRAMPOLINE = 3 }; /* slots, at most, where nothing else is on the stack */
    return model->co_stacksize + 1 > TRAMPOLINE ? model->co_stacksize + 1 : TRAMPOLINE;
}

/* A copy of `model`, whose co_code is `plain`, with other constants, `units` code units (those
 * beyond the model's are empty) and stack slots for a trampoline. NULL with an exception set. */
static inline PyCodeObject *qc_code_copy(PyCodeObject *model, const uint8_t *plain,
                                         PyObject *consts, uint32_t units)
{
    PyCodeObject *code = PyObject_NewVar(PyCodeObject, &PyCode_Type, (Py_ssize_t)units);
    if (code == NULL) {
        return NULL;
    }
    size_t from = offsetof(PyCodeObject, co_consts);
    size_t size = offsetof(PyCodeObject, co_code_adaptive) - from;
    memcpy((char *)code + from, (const char *)model + from, size);
    code->co_consts = Py_NewRef(consts);
    PyObject *shared[] = {code->co_names,           code->co_exceptiontable,
                          code->co_localsplusnames, code->co_localspluskinds,
                          code->co_filename,        code->co_name,
                          code->co_qualname,        code->co_linetable};
    for (size_t k = 0; k < Py_ARRAY_LENGTH(shared); k++) {
        Py_INCREF(shared[k]);
    }
    code->co_weakreflist = NULL;
    code->co_extra = NULL;
    code->co_stacksize = qc_code_twin_slots(model);
#if QC_CODE_IS_BORN_WARM
    code->co_framesize += code->co_stacksize - model->co_stacksize;
    code->_co_cached = NULL;
    code->_co_instrumentation_version = 0;
    code->_co_monitoring = NULL;
#else
    code->_co_code = NULL;
    code->_co_linearray = NULL;
    code->co_warmup = QUICKENING_INITIAL_WARMUP_VALUE;
#endif
#if QC_AT_LEAST_3_13
    code->co_executors = NULL;
#endif
    size_t bytes = 2 * (size_t)Py_SIZE(model);
    memset(code->co_code_adaptive + bytes, 0, 2 * (size_t)units - bytes);
    if (QC_CODE_IS_BORN_WARM && qc_code_is_uninstrumented(model)) {
        memcpy(code->co_code_adaptive, model->co_code_adaptive, bytes);
    } else {
        memcpy(code->co_code_adaptive, plain, bytes);
        qc_code_quicken((uint8_t *)code->co_code_adaptive, (uint32_t)Py_SIZE(model));
    }
    return code;
}

#endif

#endif
