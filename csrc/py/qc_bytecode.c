#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_bytecode.h"

typedef struct opcode_facts {
    uint8_t flow;   /* qc_flow_kind */
    uint8_t silent; /* never has a line event of its own */
} opcode_facts;

/* One entry for each opcode that does more than go on to the next; names that a version lacks
 * are left out. */
static const opcode_facts FACTS[256] = {
    [CACHE] = {QC_FLOW_CACHE, 1},
    [EXTENDED_ARG] = {QC_FLOW_EXTEND, 0},
    [RESUME] = {QC_FLOW_NEXT, 1},
    [END_ASYNC_FOR] = {QC_FLOW_ASYNC_END, 1},
#ifdef END_FOR
    [END_FOR] = {QC_FLOW_NEXT, 1},
#endif
#ifdef END_SEND
    [END_SEND] = {QC_FLOW_NEXT, 1},
#endif
#ifdef POP_ITER
    [POP_ITER] = {QC_FLOW_NEXT, 1},
#endif
    [JUMP_FORWARD] = {QC_FLOW_JUMP, 0},
    [JUMP_BACKWARD] = {QC_FLOW_JUMP_BACK, 0},
    [JUMP_BACKWARD_NO_INTERRUPT] = {QC_FLOW_JUMP_BACK, 0},
    [SEND] = {QC_FLOW_JUMP, 0}, /* the loop around it stays on the line: only its end matters */
    [FOR_ITER] = {QC_FLOW_BRANCH, 0},
#ifdef POP_JUMP_IF_FALSE
    [POP_JUMP_IF_FALSE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_IF_TRUE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_IF_NONE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_IF_NOT_NONE] = {QC_FLOW_BRANCH, 0},
#endif
#ifdef POP_JUMP_FORWARD_IF_FALSE
    [POP_JUMP_FORWARD_IF_FALSE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_FORWARD_IF_TRUE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_FORWARD_IF_NONE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_FORWARD_IF_NOT_NONE] = {QC_FLOW_BRANCH, 0},
    [POP_JUMP_BACKWARD_IF_FALSE] = {QC_FLOW_BRANCH_BACK, 0},
    [POP_JUMP_BACKWARD_IF_TRUE] = {QC_FLOW_BRANCH_BACK, 0},
    [POP_JUMP_BACKWARD_IF_NONE] = {QC_FLOW_BRANCH_BACK, 0},
    [POP_JUMP_BACKWARD_IF_NOT_NONE] = {QC_FLOW_BRANCH_BACK, 0},
    [JUMP_IF_FALSE_OR_POP] = {QC_FLOW_BRANCH, 0},
    [JUMP_IF_TRUE_OR_POP] = {QC_FLOW_BRANCH, 0},
#endif
    [RETURN_VALUE] = {QC_FLOW_RETURN, 0},
#ifdef RETURN_CONST
    [RETURN_CONST] = {QC_FLOW_RETURN, 0},
#endif
    [RAISE_VARARGS] = {QC_FLOW_RAISE, 0},
    [RERAISE] = {QC_FLOW_RAISE, 0},
};

qc_flow_kind qc_opcode_flow(uint8_t opcode)
{
    return (qc_flow_kind)FACTS[opcode].flow;
}

int qc_opcode_is_silent(uint8_t opcode)
{
    return FACTS[opcode].silent;
}

int qc_opcode_is_resume(uint8_t opcode)
{
    return opcode == RESUME;
}

int qc_opcode_is_send(uint8_t opcode)
{
    return opcode == SEND;
}

int qc_opcode_is_glued(uint8_t opcode)
{
    switch (opcode) {
#ifdef PRECALL
    case PRECALL:
#endif
#ifdef KW_NAMES
    case KW_NAMES:
#endif
#ifdef ASYNC_GEN_WRAP
    case ASYNC_GEN_WRAP:
#endif
#ifdef END_FOR
    case END_FOR:
#endif
    case YIELD_VALUE:
    case RETURN_GENERATOR:
    case COMPARE_OP:
    case BINARY_OP:
    case GET_AWAITABLE:
        return 1;
    default:
        return 0;
    }
}

int qc_opcode_is_harmless(uint8_t byte)
{
    int opcode = byte; /* so that it can be compared with -1 */
    return opcode == CACHE || opcode == EXTENDED_ARG || opcode == NOP || opcode == POP_TOP ||
           opcode == QC_OP_NOT_TAKEN;
}

int qc_opcode_has_jump_event(uint8_t opcode)
{
    return opcode == JUMP_FORWARD || opcode == JUMP_BACKWARD;
}

/* Only what stays the same instruction but for the event: re-arming a place in its code object
 * writes these (3.14+, where branches are measured by events). */
static const uint8_t INSTRUMENTED[256] = {
#ifdef INSTRUMENTED_NOT_TAKEN
    [NOT_TAKEN] = INSTRUMENTED_NOT_TAKEN,
    [POP_ITER] = INSTRUMENTED_POP_ITER,
    [FOR_ITER] = INSTRUMENTED_FOR_ITER,
    [END_ASYNC_FOR] = INSTRUMENTED_END_ASYNC_FOR,
    [POP_JUMP_IF_FALSE] = INSTRUMENTED_POP_JUMP_IF_FALSE,
    [POP_JUMP_IF_TRUE] = INSTRUMENTED_POP_JUMP_IF_TRUE,
    [POP_JUMP_IF_NONE] = INSTRUMENTED_POP_JUMP_IF_NONE,
    [POP_JUMP_IF_NOT_NONE] = INSTRUMENTED_POP_JUMP_IF_NOT_NONE,
    [JUMP_FORWARD] = INSTRUMENTED_JUMP_FORWARD,
    [JUMP_BACKWARD] = INSTRUMENTED_JUMP_BACKWARD,
    [RETURN_VALUE] = INSTRUMENTED_RETURN_VALUE,
    [RESUME] = INSTRUMENTED_RESUME,
#endif
};

uint8_t qc_opcode_instrumented(uint8_t opcode)
{
    return INSTRUMENTED[opcode];
}

uint8_t qc_opcode_of_line_events(void)
{
#ifdef INSTRUMENTED_LINE
    return INSTRUMENTED_LINE;
#else
    return 0;
#endif
}

/* ------------------------------------------------------------------ location table */

/* Reads a variable-length number of 6-bit groups, lowest first; 0 at a truncated table. */
static uint32_t read_varint(const uint8_t **at, const uint8_t *end)
{
    uint32_t value = 0;
    unsigned shift = 0;
    while (*at < end) {
        uint8_t byte = *(*at)++;
        if (shift < 32) {
            value |= (uint32_t)(byte & 63) << shift;
        }
        shift += 6;
        if (!(byte & 64)) {
            break;
        }
    }
    return value;
}

static int32_t read_signed_varint(const uint8_t **at, const uint8_t *end)
{
    uint32_t value = read_varint(at, end);
    int32_t half = (int32_t)(value >> 1);
    return value & 1 ? -half : half;
}

void qc_line_cursor_init(qc_line_cursor *cursor, const qc_codeview *view)
{
    cursor->at = view->linetable;
    cursor->end = view->linetable + view->linetable_size;
    cursor->computed = view->first_line;
    cursor->start = 0;
    cursor->units = 0;
    cursor->line = cursor->last = -1;
}

/* As qc_line_cursor_next; inline, as this runs for every location of all code that is measured. */
static inline int next_location(qc_line_cursor *cursor)
{
    enum { SHORT_MAX = 9, ONE_LINE_0 = 10, ONE_LINE_2 = 12, LONG = 14, NONE = 15 };
    if (cursor->at >= cursor->end) {
        return 0;
    }
    uint8_t head = *cursor->at++;
    int form = (head >> 3) & 15;
    cursor->start += cursor->units;
    cursor->units = (uint32_t)(head & 7) + 1;
    if (form <= SHORT_MAX) {
        cursor->at += 1; /* columns; as below */
    } else if (form <= ONE_LINE_2) {
        cursor->computed += form - ONE_LINE_0;
        cursor->at += 2;
    } else if (form != NONE) {
        cursor->computed += read_signed_varint(&cursor->at, cursor->end);
    }
    cursor->line = form == NONE || cursor->computed < 0 ? -1 : cursor->computed;
    cursor->last = cursor->line;
    if (form == LONG) {
        cursor->last = (int32_t)((uint32_t)cursor->line + read_varint(&cursor->at, cursor->end));
    }
    while (cursor->at < cursor->end && !(*cursor->at & 0x80)) {
        cursor->at++; /* columns */
    }
    return 1;
}

int qc_line_cursor_next(qc_line_cursor *cursor)
{
    return next_location(cursor);
}

/* Up to eight bytes as a number, the first lowest; zeros where there are none. */
static inline uint64_t eight_bytes(const uint8_t *at, size_t left)
{
    uint64_t word = 0;
    if (left >= sizeof word) {
        memcpy(&word, at, sizeof word); /* one instruction */
    } else {
        memcpy(&word, at, left);
    }
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static void add_unit(const qc_codeview *view, uint32_t unit, uint64_t *bits)
{
    if (unit < view->units) {
        bits[unit / 64] |= UINT64_C(1) << unit % 64;
    }
}

/* Adds what an entry changes whose form is not one of those that stay on the line. */
static void add_changes(const qc_codeview *view, size_t at, uint32_t start, uint64_t *bits)
{
    enum { NO_COLUMNS = 13, LONG = 14, NONE = 15 };
    uint8_t head = view->linetable[at];
    int form = (head >> 3) & 15;
    bool same = (form == NO_COLUMNS || form == LONG) && at + 1 < view->linetable_size &&
                view->linetable[at + 1] == 0;
    if (!same) {
        add_unit(view, start, bits);
    }
    if (form == NONE) {
        add_unit(view, start + (head & 7) + 1, bits); /* which has a line again */
    }
}

/* Eight bytes at a time: all code that is loaded passes by here. Only the first byte of an entry
 * has its highest bit set; below are four bits for its form and three for its length. */
void qc_line_changes(const qc_codeview *view, uint64_t *bits)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    const uint8_t next_line = 0x80 | 11 << 3; /* the forms below it stay on the line */
    uint32_t start = 0;
    add_unit(view, 0, bits);
    for (size_t at = 0; at < view->linetable_size; at += 8) {
        uint64_t word = eight_bytes(view->linetable + at, view->linetable_size - at);
        uint64_t heads = word & 0x80 * each;
        uint64_t changes = ((word & 0x7F * each) + (0x100 - next_line) * each) & heads;
        uint64_t ones = heads >> 7;
        uint64_t units = (word & 0x07 * ones) + ones; /* of each entry, where it begins */
        for (; changes != 0; changes &= changes - 1) {
            unsigned shift = qc_lowest_bit(changes) - 7;
            uint64_t before = units & ((UINT64_C(1) << shift) - 1);
            add_changes(view, at + shift / 8, start + (uint32_t)(before * each >> 56), bits);
        }
        start += (uint32_t)(units * each >> 56);
    }
}

static inline void fill_lines(const qc_codeview *view, int32_t *lines, qc_line_extent *extent)
{
    qc_line_cursor cursor;
    qc_line_cursor_init(&cursor, view);
    uint32_t unit = 0, count = view->units;
    uint32_t lowest = UINT32_MAX; /* as which -1 is more than any line */
    *extent = (qc_line_extent){.highest = -1};
    while (next_location(&cursor)) {
        uint32_t end = cursor.units < count - unit ? unit + cursor.units : count;
        for (; unit < end; unit++) {
            lines[unit] = cursor.line;
        }
        extent->spans |= cursor.last != cursor.line;
        lowest = (uint32_t)cursor.line < lowest ? (uint32_t)cursor.line : lowest;
        extent->highest = cursor.line > extent->highest ? cursor.line : extent->highest;
    }
    extent->lowest = (int32_t)lowest;
    while (unit < count) {
        lines[unit++] = -1;
    }
}

void qc_lines_of_units(const qc_codeview *view, int32_t *lines)
{
    qc_line_extent extent;
    fill_lines(view, lines, &extent);
}

int32_t *qc_lines_new(const qc_codeview *view, qc_line_extent *extent)
{
    int32_t *lines = qc_malloc(view->units * sizeof(int32_t));
    if (lines != NULL) {
        fill_lines(view, lines, extent);
    }
    return lines;
}

int qc_line_range(const qc_codeview *view, int32_t *lowest, int32_t *highest)
{
    qc_line_cursor cursor;
    qc_line_cursor_init(&cursor, view);
    *lowest = *highest = 0;
    while (qc_line_cursor_next(&cursor)) {
        if (cursor.line > 0) {
            *lowest = *lowest == 0 || cursor.line < *lowest ? cursor.line : *lowest;
            *highest = cursor.line > *highest ? cursor.line : *highest;
        }
    }
    return *highest > 0;
}

/* ------------------------------------------------------------------ exception table, jumps */

/* Reads a number of 6-bit groups, highest first, as the exception table has them. */
static uint32_t read_exception_varint(const uint8_t **at, const uint8_t *end)
{
    uint32_t value = 0;
    while (*at < end) {
        uint8_t byte = *(*at)++;
        value = (value << 6) | (byte & 63u);
        if (!(byte & 64)) {
            break;
        }
    }
    return value;
}

const uint8_t *qc_exception_next(const qc_codeview *view, const uint8_t *at,
                                 qc_exception_entry *entry)
{
    const uint8_t *end = view->exceptions + view->exceptions_size;
    if (at == NULL || at >= end) {
        return NULL;
    }
    entry->start = read_exception_varint(&at, end);
    entry->length = read_exception_varint(&at, end);
    entry->target = read_exception_varint(&at, end);
    entry->depth = read_exception_varint(&at, end);
    return at;
}

int64_t qc_handler_of(const qc_codeview *view, uint32_t unit)
{
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    while ((at = qc_exception_next(view, at, &entry)) != NULL && entry.start <= unit) {
        if (unit - entry.start < entry.length) {
            return entry.target < view->units ? (int64_t)entry.target : -1;
        }
    }
    return -1;
}

int qc_is_wrapper(const qc_codeview *view, uint32_t unit)
{
    enum { STOPITERATION_ERROR = 3 };          /* of CALL_INTRINSIC_1 */
    int opcode = view->code[2 * (size_t)unit]; /* so that it can be compared with -1 */
    return unit + 1 < view->units && opcode == QC_OP_CALL_INTRINSIC_1 &&
           view->code[2 * unit + 1] == STOPITERATION_ERROR && view->code[2 * unit + 2] == RERAISE;
}

uint32_t qc_full_argument(const qc_codeview *view, uint32_t unit)
{
    uint32_t argument = view->code[2 * (size_t)unit + 1];
    for (uint32_t shift = 8; shift < 32 && unit > 0; shift += 8) {
        const uint8_t *before = view->code + 2 * (size_t)--unit;
        if (before[0] != EXTENDED_ARG) {
            break;
        }
        argument |= (uint32_t)before[1] << shift;
    }
    return argument;
}

uint32_t qc_jump_target(const qc_codeview *view, uint32_t unit, uint32_t argument, int backward)
{
    uint32_t next = unit + 1;
    while (next < view->units && view->code[2 * next] == CACHE) {
        next++;
    }
    return backward ? next - argument : next + argument;
}

int64_t qc_async_for_exit(const qc_codeview *view, uint32_t unit)
{
    uint32_t argument = 0;
    for (uint32_t u = unit; u < view->units; u++) {
        uint8_t opcode = view->code[2 * u];
        argument |= view->code[2 * u + 1];
        if (opcode == EXTENDED_ARG) {
            argument <<= 8;
            continue;
        }
        if (opcode == END_ASYNC_FOR && u + 1 - argument == unit) {
            return u + 1;
        }
        argument = 0;
    }
    return -1;
}
