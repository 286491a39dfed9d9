/* What the trace engine remembers of a code object: from where each line was last reached.
 *
 * A record is owned by the link of its code object. All functions need the GIL.
 */
#ifndef QC_TRACE_RECORD_H
#define QC_TRACE_RECORD_H

#include "qc_codemap.h"

/* Where a line was reached from, as a short number: a line of the same code object is its distance
 * from the record's first line plus QC_TRACE_FIRST_LINE. */
enum {
    QC_TRACE_NEVER = 0,
    QC_TRACE_ENTRY = 1, /* the call; without branches, anywhere */
    QC_TRACE_FIRST_LINE = 2,
    QC_TRACE_UNKNOWN = UINT16_MAX, /* never equal to what a record holds */
    /* of one code object; more go to the arc set each time */
    QC_TRACE_MAX_LINES = QC_TRACE_UNKNOWN - QC_TRACE_FIRST_LINE,
    QC_TRACE_NO_EXIT = INT32_MIN,
};

/* What is remembered of a code object: owned by its link. */
typedef struct qc_trace_record {
    uint64_t epoch;    /* the store and its round that decided; 0: none */
    qc_file *file;     /* what it is measured into; NULL: it is not measured */
    bool prepared;     /* there are tables; they and what is below don't exist else */
    int32_t first;     /* line of from[0] */
    uint32_t lines;    /* length of from */
    uint16_t *from;    /* by line: the short number of where it was last reached from; 0: never */
    int32_t exit_from; /* the line from which the way out was last recorded */
    uint32_t units;
    uint8_t *yields;      /* by unit, a bit: a return event here is a yield */
    uint16_t *unit_lines; /* by unit: line - first + 1, or 0 to ask the frame; NULL until needed */
} qc_trace_record;

/* The link's record, undecided and without tables if it is new; NULL with an exception set. */
qc_trace_record *qc_trace_record_get(qc_link *link);

/* Makes the tables, of nothing seen yet, if there are none. 0, or -1 with an exception set. */
int qc_trace_record_prepare(qc_trace_record *record, PyCodeObject *code);

void qc_trace_record_free(qc_trace_record *record);

/* Nothing was seen yet. */
void qc_trace_record_renew(qc_trace_record *record);

#if QC_RETURN_SHOWS_NEW_LINE
/* The line that a frame returns from, by a table of the code's units. */
int qc_trace_record_line(qc_trace_record *record, PyFrameObject *frame, uint32_t unit);
#endif

/* The short number of a line; QC_TRACE_UNKNOWN if it has none. */
static inline uint16_t qc_trace_short_number(const qc_trace_record *record, int32_t line)
{
    uint32_t index = (uint32_t)line - (uint32_t)record->first;
    return index < record->lines ? (uint16_t)(index + QC_TRACE_FIRST_LINE) : QC_TRACE_UNKNOWN;
}

/* Is a return event at this unit a yield? */
static inline bool qc_trace_record_yields(const qc_trace_record *record, uint32_t unit)
{
    return unit < record->units && record->yields[unit / 8] >> (unit % 8) & 1;
}

#endif
