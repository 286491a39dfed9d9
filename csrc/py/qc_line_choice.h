/* Some of the lines of a code object. */
#ifndef QC_LINE_CHOICE_H
#define QC_LINE_CHOICE_H

#include "../core/qc_mem.h"
#include "qc_bytecode.h"

#include <stdbool.h>

typedef struct qc_line_choice {
    int32_t lowest;
    uint32_t count;
    bool *chosen; /* of each line from the lowest on */
} qc_line_choice;

/* A choice of none. 0, or -1 when memory ran out. */
static inline int qc_choice_init(qc_line_choice *choice, const qc_line_extent *extent)
{
    choice->lowest = extent->lowest;
    choice->count = extent->highest >= 0 ? (uint32_t)(extent->highest - extent->lowest) + 1 : 0;
    choice->chosen = qc_calloc(choice->count + 1, sizeof(bool));
    return choice->chosen != NULL ? 0 : -1;
}

static inline void qc_choice_free(qc_line_choice *choice)
{
    qc_free(choice->chosen, (choice->count + 1) * sizeof(bool));
}

static inline void qc_choose(const qc_line_choice *choice, int32_t line)
{
    uint32_t index = (uint32_t)line - (uint32_t)choice->lowest;
    if (line >= 0 && index < choice->count) {
        choice->chosen[index] = true;
    }
}

static inline bool qc_is_chosen(const qc_line_choice *choice, int32_t line)
{
    return line >= 0 && choice->chosen[line - choice->lowest];
}

#endif
