/*
 * qc_lex: Python source, cut into logical lines and these into tokens, for text that is known to be
 * valid: a compiler has taken it. Much simpler and faster than a tokenizer that has to tell what is
 * wrong: strings are one token each, f-strings too, comments and line ends none, and an operator
 * of several characters is several tokens, but for ":=".
 *
 * Not for: text that may be invalid. What isn't understood ends the line as `QC_LEX_UNSURE`, but
 * not all that is invalid is noticed. Memory is safe with any bytes.
 *
 * Threads: no state but in the caller's struct; one thread at a time.
 */
#ifndef QC_LEX_H
#define QC_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    QC_TOKEN_NAME,   /* a keyword, too */
    QC_TOKEN_NUMBER, /* also one that is followed by a keyword without a space */
    QC_TOKEN_STRING, /* a str: no bytes, no replacement fields */
    QC_TOKEN_OTHER_STRING,
    QC_TOKEN_OPERATOR, /* one character, or ":=", of which `first` is '=' */
} qc_token_kind;

typedef struct {
    uint8_t kind;        /* qc_token_kind */
    uint8_t first;       /* the first character; '=' for ":=" */
    uint16_t depth;      /* brackets around it; of a bracket itself: around the pair */
    uint32_t start, end; /* offsets of its bytes */
    int32_t line, end_line;
} qc_token;

typedef enum { QC_LEX_LINE, QC_LEX_END, QC_LEX_UNSURE, QC_LEX_NO_MEMORY } qc_lex_result;

enum { QC_LEX_MAX_INDENTS = 100 }; /* CPython's limit, too */

typedef struct {
    const char *text;
    uint32_t size, at;
    int32_t line;         /* of `at`, from 1 */
    bool nested_fstrings; /* f-strings may have strings with the same quotes in them: PEP 701 */
    uint32_t indents[QC_LEX_MAX_INDENTS + 1];
    uint32_t indent;  /* how many are around the logical line */
    qc_token *tokens; /* the logical line's; at least one */
    uint32_t count, capacity;
    int32_t last_colon; /* the line of its last ":" outside brackets; 0 if there is none */
    int32_t last_line;  /* the line of its line end, which may be below its last token */
} qc_lex;

/* Starts. `text` has to live as long as `lex`; at most INT32_MAX bytes (else it is all unsure). */
void qc_lex_init(qc_lex *lex, const char *text, size_t size, bool nested_fstrings);

/* Frees the tokens. */
void qc_lex_free(qc_lex *lex);

/* Reads the next logical line. After anything but QC_LEX_LINE there is nothing more to read, and
 * no tokens. */
qc_lex_result qc_lex_next(qc_lex *lex);

/* Is this token exactly that name? */
bool qc_lex_is(const qc_lex *lex, const qc_token *token, const char *name);

#endif
