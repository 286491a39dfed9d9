/*
 * qc_outline: the statements of Python source, as far as an analysis of its lines needs them: which
 * there are, on which lines, and in which suites; no expressions. For text that is known to be
 * valid; what a statement is, one sees from its first word then.
 *
 * Not for: text that may be invalid, and whatever needs more; `ast` has it all.
 *
 * Threads: no shared state; one thread at a time per outline.
 */
#ifndef QC_OUTLINE_H
#define QC_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* _outline.py has the same numbers. */
typedef enum {
    QC_STMT_SIMPLE,
    QC_STMT_DOC, /* a string and nothing else */
    QC_STMT_RETURN,
    QC_STMT_RAISE,
    QC_STMT_BREAK,
    QC_STMT_CONTINUE,
    QC_STMT_IF,    /* its suite, and QC_STMT_ELSE if there is one; `extra`: qc_constant */
    QC_STMT_WHILE, /* the same */
    QC_STMT_FOR,
    QC_STMT_TRY, /* its suite, QC_STMT_HANDLERs, and QC_STMT_ELSE and QC_STMT_FINALLY */
    QC_STMT_WITH,
    QC_STMT_MATCH,    /* QC_STMT_CASEs */
    QC_STMT_FUNCTION, /* QC_STMT_DECORATORs and its suite; `extra`: where its name begins */
    QC_STMT_CLASS,    /* the same */
    /* Parts of statements: */
    QC_STMT_ELSE, /* a suite; that of "elif" is a QC_STMT_IF */
    QC_STMT_FINALLY,
    QC_STMT_HANDLER,
    QC_STMT_CASE, /* `extra`: 1 if it matches whatever there is, else 0 */
    QC_STMT_DECORATOR,
} qc_statement_kind;

typedef enum { QC_CONSTANT_NOT, QC_CONSTANT_FALSE, QC_CONSTANT_TRUE } qc_constant;

typedef struct {
    int32_t kind;  /* qc_statement_kind */
    int32_t first; /* the first line of its logical line; of the first decorator's, if any */
    int32_t line;  /* where it begins, behind decorators: `lineno` of `ast` */
    int32_t end;   /* where it ends: `end_lineno` */
    int32_t next;  /* the position of the next statement that is no part of it */
    int32_t extra;
} qc_statement;

typedef struct {
    int32_t first, last; /* lines */
    int32_t indent;      /* how many indents are around it */
    int32_t colon;       /* the line of the last ":" outside brackets; 0 if there is none */
} qc_logical_line;

typedef struct {
    qc_statement *statements; /* in the order of the text; parts come behind their statement */
    uint32_t statement_count, statement_capacity;
    qc_logical_line *lines;
    uint32_t line_count, line_capacity;
} qc_outline;

typedef enum { QC_OUTLINE_DONE, QC_OUTLINE_UNSURE, QC_OUTLINE_NO_MEMORY } qc_outline_result;

/* Makes the outline of valid text that ends with a line end. `debug` is the value of `__debug__`,
 * `nested_fstrings` says how f-strings end (qc_lex.h). Unless it is done, the outline is empty:
 * unsure is anything of which it isn't certain that `ast` would say the same. */
qc_outline_result qc_outline_make(qc_outline *outline, const char *text, size_t size, bool debug,
                                  bool nested_fstrings);

/* Frees all of it; then it is empty. */
void qc_outline_free(qc_outline *outline);

/* Do all parts lie within their statements, and lines within `last_line`? For tests. */
bool qc_outline_check(const qc_outline *outline, int32_t last_line, const char **reason);

#endif
