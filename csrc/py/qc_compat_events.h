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

/* Before 3.13.3, CPython guesses a line, and keeps how far away the true one is; these are for what
 * it can't keep so. */
enum { QC_NO_LINE = -128, QC_LINE_CHANGES = -127, QC_COMPUTED_LINE = -126 };

/* The same from 3.13.3 on: the distance from the first line, of one byte or more. */
enum { QC_FIRST_LINE = 2 };

static inline bool qc_code_has_line(const _PyCoMonitoringData *data, uint32_t unit)
{
    const uint8_t *line = qc_code_below_line(data, unit) + 1;
    if (!qc_lines_have_width(data)) {
        return (int8_t)*line != QC_NO_LINE;
    }
    uint32_t any = 0, bytes = *(const uint8_t *)data->lines - 1u;
    for (uint32_t k = 0; k < bytes; k++) {
        any |= line[k];
    }
    return any != 0;
}

/* Has a unit pass for code of this line (-1: of none). False if that can't be done. */
static inline bool qc_code_set_line(PyCodeObject *code, uint32_t unit, int line)
{
    const _PyCoMonitoringData *data = code->_co_monitoring;
    uint8_t *at = qc_code_below_line(data, unit) + 1;
    if (!qc_lines_have_width(data)) {
        int delta = line - code->co_firstlineno - (int)(unit >> 4);
        if (line >= 0 && (delta <= QC_COMPUTED_LINE || delta > INT8_MAX)) {
            return false;
        }
        *at = (uint8_t)(line >= 0 ? delta : QC_NO_LINE);
        return true;
    }
    uint32_t bytes = *(const uint8_t *)data->lines - 1u;
    int64_t distance = line >= 0 ? (int64_t)line - code->co_firstlineno + QC_FIRST_LINE : 0;
    if (distance < 0 || distance >> 8 * bytes != 0) {
        return false;
    }
    for (uint32_t k = 0; k < bytes; k++) {
        at[k] = (uint8_t)(distance >> 8 * k);
    }
    return true;
}

/* Has a line event come at a unit, if line events come in this code at all. */
static inline void qc_code_mark_line(PyCodeObject *code, uint32_t unit, uint8_t base)
{
    _PyCoMonitoringData *data = code->_co_monitoring;
    uint8_t *below = qc_code_below_line(data, unit);
    uint8_t *at = (uint8_t *)code->co_code_adaptive + 2 * (size_t)unit;
    if (!qc_code_has_line(data, unit) || base == END_ASYNC_FOR || base == RESUME ||
        base == END_FOR || base == END_SEND) {
        return;
    }
#if QC_AT_LEAST_3_13
    if (!qc_lines_have_width(data) && (int8_t)below[1] == QC_LINE_CHANGES) {
        below[1] = (uint8_t)QC_COMPUTED_LINE; /* that would not hold for who jumps here */
    }
#endif
    if (*at == INSTRUMENTED_LINE) {
        return;
    }
    bool displaced = *at == JUMP_FORWARD; /* perhaps: it is its own plain form */
    *below = *at >= MIN_INSTRUMENTED_OPCODE || displaced ? *at : base;
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
        opcode = qc_code_below_line(data, unit);
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
    uint32_t at = unit + QC_TRAMPOLINE_TEST_UNITS;
    while (*qc_code_opcode(code, at) == EXTENDED_ARG) {
        at++;
    }
    return qc_code_set_line(code, at, line);
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
