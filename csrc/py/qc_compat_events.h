/* How sys.monitoring, and so trace functions, change code in place, as far as the probe engine has
 * to care: a part of qc_compat.h.
 *
 * CPython instruments code, with armed probes or without, when it is called next after something
 * was asked for, or while it runs. It must not take caches of displaced instructions for code, and
 * what belongs below a probe, or below an event, must get there.
 */
#ifndef QC_COMPAT_EVENTS_H
#define QC_COMPAT_EVENTS_H

#include "qc_compat_probe.h"

#if QC_HAVE_PROBES

#if QC_CODE_IS_BORN_WARM
/* The event of an instruction, and the opcode that brings it; false if it has none. */
static inline bool qc_opcode_event(uint8_t opcode, int *event, uint8_t *instrumented)
{
    static const struct {
        uint8_t event, instrumented;
    } events[256] = {
        [RETURN_VALUE] = {PY_MONITORING_EVENT_PY_RETURN, INSTRUMENTED_RETURN_VALUE},
        [RETURN_CONST] = {PY_MONITORING_EVENT_PY_RETURN, INSTRUMENTED_RETURN_CONST},
        [YIELD_VALUE] = {PY_MONITORING_EVENT_PY_YIELD, INSTRUMENTED_YIELD_VALUE},
        [CALL] = {PY_MONITORING_EVENT_CALL, INSTRUMENTED_CALL},
#ifdef INSTRUMENTED_CALL_KW
        [CALL_KW] = {PY_MONITORING_EVENT_CALL, INSTRUMENTED_CALL_KW},
#endif
        [CALL_FUNCTION_EX] = {PY_MONITORING_EVENT_CALL, INSTRUMENTED_CALL_FUNCTION_EX},
        [LOAD_SUPER_ATTR] = {PY_MONITORING_EVENT_CALL, INSTRUMENTED_LOAD_SUPER_ATTR},
        [JUMP_FORWARD] = {PY_MONITORING_EVENT_JUMP, INSTRUMENTED_JUMP_FORWARD},
        [JUMP_BACKWARD] = {PY_MONITORING_EVENT_JUMP, INSTRUMENTED_JUMP_BACKWARD},
        [POP_JUMP_IF_FALSE] = {PY_MONITORING_EVENT_BRANCH, INSTRUMENTED_POP_JUMP_IF_FALSE},
        [POP_JUMP_IF_TRUE] = {PY_MONITORING_EVENT_BRANCH, INSTRUMENTED_POP_JUMP_IF_TRUE},
        [POP_JUMP_IF_NONE] = {PY_MONITORING_EVENT_BRANCH, INSTRUMENTED_POP_JUMP_IF_NONE},
        [POP_JUMP_IF_NOT_NONE] = {PY_MONITORING_EVENT_BRANCH, INSTRUMENTED_POP_JUMP_IF_NOT_NONE},
        [FOR_ITER] = {PY_MONITORING_EVENT_BRANCH, INSTRUMENTED_FOR_ITER},
    };
    *event = events[opcode].event;
    *instrumented = events[opcode].instrumented;
    return *instrumented != 0;
}

/* How far a unit is from the line that CPython guesses for it: this is for no line at all. */
enum { QC_NO_LINE = -128 };

/* Has a line event come at a unit, if line events come in this code at all. */
static inline void qc_code_mark_line(PyCodeObject *code, uint32_t unit, uint8_t base)
{
    _PyCoMonitoringData *data = code->_co_monitoring;
    _PyCoLineInstrumentationData *line = &data->lines[unit];
    uint8_t *at = (uint8_t *)code->co_code_adaptive + 2 * (size_t)unit;
    if (line->line_delta == QC_NO_LINE || base == END_ASYNC_FOR || base == RESUME ||
        base == END_FOR || base == END_SEND) {
        return;
    }
#if QC_AT_LEAST_3_13
    enum { LINE_CHANGES = -127, COMPUTED_LINE = -126 };
    if (line->line_delta == LINE_CHANGES) {
        line->line_delta = COMPUTED_LINE; /* that would not hold for who jumps here */
    }
#endif
    if (*at == INSTRUMENTED_LINE) {
        return;
    }
    bool displaced = *at == JUMP_FORWARD; /* perhaps: it is its own plain form */
    line->original_opcode = *at >= MIN_INSTRUMENTED_OPCODE || displaced ? *at : base;
    if (data->active_monitors.tools[PY_MONITORING_EVENT_LINE]) {
        *at = INSTRUMENTED_LINE;
        if (data->line_tools != NULL) {
            data->line_tools[unit] = data->active_monitors.tools[PY_MONITORING_EVENT_LINE];
        }
    }
}
#endif

/* Has CPython instrument code anew when it runs next, as it never has run. False if it was not
 * instrumented. */
static inline bool qc_code_forget_instrumentation(PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    _PyCoMonitoringData *data = code->_co_monitoring;
    if (data == NULL) {
        return false;
    }
    PyMem_Free(data->tools);
    PyMem_Free(data->lines);
    PyMem_Free(data->line_tools);
    PyMem_Free(data->per_instruction_opcodes);
    PyMem_Free(data->per_instruction_tools);
    _Py_LocalMonitors local = data->local_monitors;
    memset(data, 0, sizeof *data);
    data->local_monitors = local;
    code->_co_instrumentation_version = (uintptr_t)-256; /* of no state there ever was */
    return true;
#else
    (void)code;
    return false;
#endif
}

/* The tools that sys.monitoring has ids for. */
enum { QC_TOOLS = 6 };

/* The local events of a code object for one tool. */
static inline uint32_t qc_code_local_events(const PyCodeObject *code, int tool)
{
    uint32_t set = 0;
#if QC_CODE_IS_BORN_WARM
    const _PyCoMonitoringData *data = code->_co_monitoring;
    for (int event = 0; data != NULL && event < _PY_MONITORING_LOCAL_EVENTS; event++) {
        set |= (uint32_t)(data->local_monitors.tools[event] >> tool & 1) << event;
    }
#else
    (void)code;
    (void)tool;
#endif
    return set;
}

/* May somebody see line events of this code, in this thread? */
static inline bool qc_code_has_line_events(const PyCodeObject *code)
{
#if QC_CODE_IS_BORN_WARM
    return code->_co_monitoring != NULL && code->_co_monitoring->lines != NULL;
#else
    (void)code;
    return qc_active_tracefunc() != NULL;
#endif
}

/* Where the opcode of a unit is, below what sys.monitoring has put over it. */
static inline uint8_t *qc_code_opcode(PyCodeObject *code, uint32_t unit)
{
    uint8_t *opcode = (uint8_t *)code->co_code_adaptive + 2 * (size_t)unit;
#if QC_CODE_IS_BORN_WARM
    _PyCoMonitoringData *data = code->_co_monitoring;
    if (data != NULL && *opcode == INSTRUMENTED_LINE) {
        opcode = &data->lines[unit].original_opcode;
    }
    if (data != NULL && *opcode == INSTRUMENTED_INSTRUCTION) {
        opcode = &data->per_instruction_opcodes[unit];
    }
#endif
    return opcode;
}

/* The jump at the end of a trampoline, whose test stands at `unit`, passes for code of this line
 * (-1: of none). What it goes back to has had its line event, and must not have it again: CPython
 * leaves it out when the line was the same before. False if that can't be done. */
static inline bool qc_code_lend_line(PyCodeObject *code, uint32_t unit, int line)
{
#if QC_CODE_IS_BORN_WARM
    enum { LOWEST = -125, HIGHEST = 127 };
    uint32_t at = unit + QC_TRAMPOLINE_TEST_UNITS;
    while (*qc_code_opcode(code, at) == EXTENDED_ARG) {
        at++;
    }
    int delta = line - code->co_firstlineno - (int)(at >> 4);
    if (line >= 0 && (delta < LOWEST || delta > HIGHEST)) {
        return false;
    }
    code->_co_monitoring->lines[at].line_delta = (int8_t)(line >= 0 ? delta : QC_NO_LINE);
    return true;
#else
    (void)code;
    (void)unit;
    (void)line;
    return false;
#endif
}

/* A unit with this opcode is about to be displaced. CPython must find nothing in its caches that
 * looks like code, as it will not take them for caches. Gives the opcode that is to stand there
 * again. */
static inline uint8_t qc_code_clear_caches(PyCodeObject *code, const uint8_t *shown, uint32_t unit,
                                           uint32_t units, uint8_t opcode)
{
#if QC_CODE_IS_BORN_WARM
    uint8_t *bytes = (uint8_t *)code->co_code_adaptive;
    for (uint32_t at = unit + 1; at < units && shown[2 * (size_t)at] == CACHE; at++) {
        bytes[2 * (size_t)at] = bytes[2 * (size_t)at + 1] = 0;
    }
    (void)opcode;
    return shown[2 * (size_t)unit];
#else
    (void)code;
    (void)units;
    return qc_opcode_is_joined(opcode) ? shown[2 * (size_t)unit] : opcode;
#endif
}

/* The unit stands there again: its caches, and the events it has. `target` is where it jumps to;
 * -1: it doesn't. */
static inline void qc_code_restore(PyCodeObject *code, const uint8_t *shown, uint32_t unit,
                                   uint32_t units, int64_t target)
{
#if QC_CODE_IS_BORN_WARM
    _PyCoMonitoringData *data = code->_co_monitoring;
    uint8_t *bytes = (uint8_t *)code->co_code_adaptive;
    uint32_t end = unit + 1;
    uint8_t copy[4] = {shown[2 * (size_t)unit], 0, CACHE, 0};
    while (end < units && shown[2 * (size_t)end] == CACHE) {
        bytes[2 * (size_t)end] = bytes[2 * (size_t)end + 1] = 0;
        end++;
    }
    if (end > unit + 1) {
        qc_code_quicken(copy, 2);
        memcpy(bytes + 2 * (size_t)unit + 2, copy + 2, 2);
    }
    int event;
    uint8_t instrumented;
    if (data == NULL) {
        return;
    }
    if (qc_opcode_event(shown[2 * (size_t)unit], &event, &instrumented) &&
        data->active_monitors.tools[event]) {
        *qc_code_opcode(code, unit) = instrumented;
        if (data->tools != NULL) {
            data->tools[unit] = data->active_monitors.tools[event];
        }
    }
    if (target >= 0 && data->lines != NULL) {
        qc_code_mark_line(code, (uint32_t)target, shown[2 * (size_t)target]);
    }
#else
    (void)code;
    (void)shown;
    (void)unit;
    (void)units;
    (void)target;
#endif
}

#endif

#endif
