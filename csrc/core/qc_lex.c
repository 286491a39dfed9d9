#include "qc_lex.h"

#include "qc_mem.h"

#include <string.h>

enum { TAB = 8, FIRST_CAPACITY = 256, MAX_DEPTH = 1000, MAX_NESTED = 100 };

void qc_lex_init(qc_lex *lex, const char *text, size_t size, bool nested_fstrings)
{
    memset(lex, 0, sizeof *lex);
    lex->text = text;
    lex->line = 1;
    lex->nested_fstrings = nested_fstrings;
    lex->size = size <= INT32_MAX ? (uint32_t)size : UINT32_MAX;
}

void qc_lex_free(qc_lex *lex)
{
    qc_free(lex->tokens, lex->capacity * sizeof *lex->tokens);
    lex->tokens = NULL;
    lex->count = lex->capacity = 0;
}

bool qc_lex_is(const qc_lex *lex, const qc_token *token, const char *name)
{
    size_t length = token->end - token->start;
    return token->kind == QC_TOKEN_NAME && strncmp(lex->text + token->start, name, length) == 0 &&
           name[length] == '\0';
}

/* The character that many bytes from here; 0 behind the end. */
static char peek(const qc_lex *lex, uint32_t ahead)
{
    return lex->size - lex->at > ahead ? lex->text[lex->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A part of a name; bytes of characters beyond ASCII are, wherever they may stand in valid text. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           (unsigned char)c >= 0x80;
}

static void skip_to_line_end(qc_lex *lex)
{
    const char *found = memchr(lex->text + lex->at, '\n', lex->size - lex->at);
    lex->at = found != NULL ? (uint32_t)(found - lex->text) : lex->size;
}

/* ------------------------------------------------------------------------------- strings */

static bool scan_string(qc_lex *lex, bool fields, bool raw, int nested);

/* What the letters before a quote say. False if they are no prefix of a string. */
static bool read_prefix(const char *word, uint32_t length, bool *bytes, bool *fields, bool *raw)
{
    *bytes = *fields = *raw = false;
    if (length > 2) {
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        switch (word[i] | 0x20) {
        case 'b':
            *bytes = true;
            break;
        case 'f':
        case 't':
            *fields = true;
            break;
        case 'r':
            *raw = true;
            break;
        case 'u':
            break;
        default:
            return false;
        }
    }
    return true;
}

/* Scans a replacement field of an f-string from behind its "{" to behind its "}". */
static bool scan_field(qc_lex *lex, bool raw, int nested)
{
    int depth = 0;
    bool spec = false;
    while (lex->at < lex->size) {
        char c = lex->text[lex->at];
        if (spec && c != '{' && c != '}') {
            if (c == '\\') {
                return false; /* rare, and its meaning has changed among releases */
            }
            lex->line += c == '\n';
            lex->at++;
        } else if (c == '}' && depth == 0) {
            lex->at++;
            return true;
        } else if (spec && c == '{') {
            lex->at++;
            if (nested >= MAX_NESTED || peek(lex, 0) == '{' || !scan_field(lex, raw, nested + 1)) {
                return false;
            }
        } else if (c == '"' || c == '\'') {
            uint32_t word = lex->at;
            bool bytes, fields, is_raw;
            while (word > 0 && is_word(lex->text[word - 1])) {
                word--;
            }
            if (!read_prefix(lex->text + word, lex->at - word, &bytes, &fields, &is_raw)) {
                fields = is_raw = false;
            }
            if (nested >= MAX_NESTED || !scan_string(lex, fields, is_raw, nested + 1)) {
                return false;
            }
        } else if (c == '#') {
            skip_to_line_end(lex);
        } else {
            depth += c == '(' || c == '[' || c == '{';
            depth -= c == ')' || c == ']' || c == '}';
            lex->line += c == '\n';
            if (depth < 0 || c == '\\') {
                return false;
            }
            spec = c == ':' && depth == 0;
            lex->at++;
        }
    }
    return false;
}

/* Steps over a backslash in a string and what it escapes. `fields`: "{" may begin one. */
static void skip_escape(qc_lex *lex, bool fields, bool raw)
{
    char escaped = peek(lex, 1);
    lex->at++;
    if (fields && (escaped == '{' || escaped == '}')) {
        return;
    }
    if (fields && !raw && escaped == 'N' && peek(lex, 1) == '{') {
        const char *found = memchr(lex->text + lex->at, '}', lex->size - lex->at);
        lex->at = found != NULL ? (uint32_t)(found - lex->text) : lex->size;
    }
    if (lex->at < lex->size) {
        lex->line += lex->text[lex->at] == '\n';
        lex->at++;
    }
}

/* Scans a string from its opening quote to behind its closing one. `fields`: an f-string. */
static bool scan_string(qc_lex *lex, bool fields, bool raw, int nested)
{
    char quote = lex->text[lex->at];
    bool triple = peek(lex, 1) == quote && peek(lex, 2) == quote;
    fields = fields && lex->nested_fstrings;
    lex->at += triple ? 3 : 1;
    while (lex->at < lex->size) {
        char c = lex->text[lex->at];
        if (c == quote && (!triple || (peek(lex, 1) == quote && peek(lex, 2) == quote))) {
            lex->at += triple ? 3 : 1;
            return true;
        }
        if (c == '\\') {
            skip_escape(lex, fields, raw);
        } else if (c == '{' && fields && peek(lex, 1) != '{') {
            lex->at++;
            if (!scan_field(lex, raw, nested)) {
                return false;
            }
        } else if (c == '\n' && !triple) {
            return false;
        } else {
            lex->at += c == '{' && fields ? 2 : 1;
            lex->line += c == '\n';
        }
    }
    return false;
}

/* -------------------------------------------------------------------------------- tokens */

static qc_token *add_token(qc_lex *lex, qc_token_kind kind, uint32_t depth)
{
    if (lex->count == lex->capacity) {
        uint32_t capacity = lex->capacity != 0 ? 2 * lex->capacity : FIRST_CAPACITY;
        qc_token *tokens =
            qc_realloc(lex->tokens, lex->capacity * sizeof *tokens, capacity * sizeof *tokens);
        if (tokens == NULL) {
            return NULL;
        }
        lex->tokens = tokens;
        lex->capacity = capacity;
    }
    qc_token *token = &lex->tokens[lex->count++];
    *token = (qc_token){.kind = (uint8_t)kind,
                        .first = (uint8_t)lex->text[lex->at],
                        .depth = (uint16_t)depth,
                        .start = lex->at,
                        .line = lex->line};
    return token;
}

static void scan_number(qc_lex *lex)
{
    bool hexadecimal = peek(lex, 0) == '0' && (peek(lex, 1) | 0x20) == 'x';
    while (is_word(peek(lex, 0)) || peek(lex, 0) == '.') {
        bool exponent = !hexadecimal && (peek(lex, 0) | 0x20) == 'e' &&
                        (peek(lex, 1) == '+' || peek(lex, 1) == '-') && is_digit(peek(lex, 2));
        lex->at += exponent ? 2 : 1;
    }
}

/* A name, a keyword, or a string with a prefix or without. */
static bool scan_word(qc_lex *lex, qc_token *token)
{
    uint32_t start = lex->at;
    bool bytes, fields, raw;
    while (is_word(peek(lex, 0))) {
        lex->at++;
    }
    char quote = peek(lex, 0);
    if ((quote != '"' && quote != '\'') ||
        !read_prefix(lex->text + start, lex->at - start, &bytes, &fields, &raw)) {
        return true;
    }
    token->kind = bytes || fields ? QC_TOKEN_OTHER_STRING : QC_TOKEN_STRING;
    return scan_string(lex, fields, raw, 0);
}

static bool scan_operator(qc_lex *lex, qc_token *token, uint32_t *depth)
{
    char c = lex->text[lex->at++];
    if (c == '(' || c == '[' || c == '{') {
        return ++*depth <= MAX_DEPTH;
    }
    if (c == ')' || c == ']' || c == '}') {
        token->depth--;
        return (*depth)-- != 0;
    }
    if (c == ':' && peek(lex, 0) == '=') {
        token->first = '=';
        lex->at++;
    } else if (c == ':' && *depth == 0) {
        lex->last_colon = token->line;
    }
    return c > ' ' && c < 0x7f && c != '\\'; /* that one, if a logical line begins with it */
}

/* Reads one token, which begins here. */
static qc_lex_result read_token(qc_lex *lex, uint32_t *depth)
{
    char c = lex->text[lex->at];
    qc_token *token = add_token(lex, QC_TOKEN_OPERATOR, *depth);
    bool fine = true;
    if (token == NULL) {
        return QC_LEX_NO_MEMORY;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lex, 1)))) {
        token->kind = QC_TOKEN_NUMBER;
        scan_number(lex);
    } else if (is_word(c) || c == '"' || c == '\'') {
        token->kind = QC_TOKEN_NAME;
        fine = scan_word(lex, token);
    } else {
        fine = scan_operator(lex, token, depth);
    }
    token->end = lex->at;
    token->end_line = lex->line;
    return fine ? QC_LEX_LINE : QC_LEX_UNSURE;
}

/* Goes to the first token of the next logical line, and finds its indentation. */
static qc_lex_result find_line(qc_lex *lex)
{
    uint32_t column = 0;
    for (;; lex->at++) {
        if (lex->at >= lex->size) {
            return QC_LEX_END;
        }
        char c = lex->text[lex->at];
        if (c == '#') {
            skip_to_line_end(lex);
            c = '\n';
        }
        if (c == '\n') {
            lex->line++;
            column = 0;
        } else if (c == ' ') {
            column++;
        } else if (c == '\t') {
            column = (column / TAB + 1) * TAB;
        } else {
            break;
        }
    }
    while (column < lex->indents[lex->indent]) {
        lex->indent--;
    }
    if (column > lex->indents[lex->indent]) {
        if (lex->indent == QC_LEX_MAX_INDENTS) {
            return QC_LEX_UNSURE;
        }
        lex->indents[++lex->indent] = column;
    }
    return QC_LEX_LINE;
}

/* Reads the tokens of a logical line, from its first one to behind its end. */
static qc_lex_result read_line(qc_lex *lex)
{
    uint32_t depth = 0;
    while (lex->at < lex->size) {
        char c = lex->text[lex->at];
        if (c == ' ' || c == '\t') {
            lex->at++;
        } else if (c == '#') {
            skip_to_line_end(lex);
        } else if (c == '\n') {
            lex->at++;
            lex->last_line = lex->line++;
            if (depth == 0) {
                return QC_LEX_LINE;
            }
        } else if (c == '\\' && lex->count != 0 && peek(lex, 1) == '\n') {
            lex->at += 2;
            lex->line++;
        } else {
            qc_lex_result result = read_token(lex, &depth);
            if (result != QC_LEX_LINE) {
                return result;
            }
        }
    }
    return QC_LEX_UNSURE; /* valid text ends with a line end: our callers see to that */
}

qc_lex_result qc_lex_next(qc_lex *lex)
{
    lex->count = 0;
    lex->last_colon = 0;
    qc_lex_result result = lex->size != UINT32_MAX ? find_line(lex) : QC_LEX_UNSURE;
    if (result == QC_LEX_LINE) {
        result = read_line(lex);
    }
    if (result != QC_LEX_LINE) {
        lex->at = lex->size;
        lex->count = 0;
    }
    return result;
}
