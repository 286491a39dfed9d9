/*
 * qc_paint: the lines of Python source as HTML, a <span> with a class for each token, as reports
 * of coverage.py show them. For text that is known to be valid, without tabs and '\r'.
 *
 * Not for: text that may be invalid. What isn't understood, or what Python's tokenizer treats in
 * an odd way, is QC_PAINT_UNSURE; not all that is invalid is noticed. Memory is safe with any
 * bytes.
 *
 * Threads: no state but in the caller's structs.
 */
#ifndef QC_PAINT_H
#define QC_PAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { QC_PAINT_DONE, QC_PAINT_UNSURE, QC_PAINT_NO_MEMORY } qc_paint_result;

/* What depends on the version of Python. */
typedef struct {
    const char *keywords;      /* separated by spaces */
    const char *soft_keywords; /* as well; keywords at the start of some lines alone */
    const int32_t *soft_lines; /* these lines, from 1, ascending */
    size_t soft_count;
    bool fstrings; /* f-strings are several tokens: PEP 701 */
} qc_paint_rules;

typedef struct {
    char *html; /* each line ends with '\n', but for the last one of a text that doesn't */
    size_t size, capacity;
} qc_painted;

/* Paints a text of at most INT32_MAX / 2 bytes (else it is unsure). After QC_PAINT_DONE,
 * `painted` has to be freed; else there is nothing in it. */
qc_paint_result qc_paint(qc_painted *painted, const char *text, size_t size,
                         const qc_paint_rules *rules);

void qc_painted_free(qc_painted *painted);

#endif
