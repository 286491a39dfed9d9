#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_bytecode.h"
#include "qc_trace_record.h"

static void drop_tables(qc_trace_record *record)
{
    qc_free(record->from, record->lines * sizeof(uint16_t));
    qc_free(record->yields, record->units / 8 + 1);
    qc_free(record->unit_lines, record->units * sizeof(uint16_t));
    record->from = record->unit_lines = NULL;
    record->yields = NULL;
    record->lines = record->units = 0;
}

void qc_trace_record_free(qc_trace_record *record)
{
    if (record != NULL) {
        drop_tables(record);
        qc_free(record, sizeof *record);
    }
}

void qc_trace_record_renew(qc_trace_record *record)
{
    for (uint32_t k = 0; k < record->lines; k++) {
        record->from[k] = QC_TRACE_NEVER;
    }
    record->exit_from = QC_TRACE_NO_EXIT;
}

static qc_codeview code_view(PyCodeObject *code)
{
    qc_codeview view = {
        .units = qc_code_units(code),
        .linetable = (uint8_t *)PyBytes_AS_STRING(code->co_linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(code->co_linetable),
        .first_line = code->co_firstlineno,
    };
    return view;
}

/* A return event comes for yields too: those are followed (or, on 3.13, marked) by a RESUME. */
static int find_yields(qc_trace_record *record, PyCodeObject *code)
{
    PyObject *bytecode = PyCode_GetCode(code);
    if (bytecode == NULL) {
        return -1;
    }
    const uint8_t *bytes = (uint8_t *)PyBytes_AS_STRING(bytecode);
    for (uint32_t unit = 0; unit + 1 < record->units; unit++) {
        uint32_t marker = QC_LASTI_IS_YIELD ? unit + 1 : unit;
        if (qc_opcode_is_resume(bytes[2 * marker])) {
            record->yields[unit / 8] |= (uint8_t)(1u << (unit % 8));
        }
    }
    Py_DECREF(bytecode);
    return 0;
}

qc_trace_record *qc_trace_record_get(qc_link *link)
{
    if (link->trace == NULL && (link->trace = qc_calloc(1, sizeof *link->trace)) == NULL) {
        PyErr_NoMemory();
    }
    return link->trace;
}

int qc_trace_record_prepare(qc_trace_record *record, PyCodeObject *code)
{
    if (record->prepared) {
        return 0;
    }
    qc_codeview view = code_view(code);
    int32_t last;
    record->units = view.units;
    if (qc_line_range(&view, &record->first, &last)) {
        uint32_t lines = (uint32_t)(last - record->first) + 1;
        record->lines = lines < QC_TRACE_MAX_LINES ? lines : QC_TRACE_MAX_LINES;
    }
    record->from = qc_malloc(record->lines * sizeof(uint16_t));
    record->yields = qc_calloc(record->units / 8 + 1, 1);
    if ((record->from == NULL && record->lines > 0) || record->yields == NULL) {
        PyErr_NoMemory();
    } else if (find_yields(record, code) == 0) {
        qc_trace_record_renew(record);
        record->prepared = true;
        return 0;
    }
    drop_tables(record);
    return -1;
}

#if QC_RETURN_SHOWS_NEW_LINE
int qc_trace_record_line(qc_trace_record *record, PyFrameObject *frame, uint32_t unit)
{
    if (record->unit_lines == NULL) {
        PyCodeObject *code = qc_frame_code(frame);
        qc_codeview view = code_view(code);
        qc_line_cursor cursor;
        record->unit_lines = qc_calloc(record->units, sizeof(uint16_t));
        if (record->unit_lines == NULL) {
            return PyFrame_GetLineNumber(frame);
        }
        qc_line_cursor_init(&cursor, &view);
        while (qc_line_cursor_next(&cursor)) {
            uint32_t index = (uint32_t)cursor.line - (uint32_t)record->first + 1;
            for (uint32_t k = 0; k < cursor.units && cursor.start + k < record->units; k++) {
                record->unit_lines[cursor.start + k] =
                    cursor.line > 0 && index <= UINT16_MAX ? (uint16_t)index : 0;
            }
        }
    }
    uint16_t index = record->unit_lines[unit];
    return index ? record->first + index - 1 : PyFrame_GetLineNumber(frame);
}
#endif
