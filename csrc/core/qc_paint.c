#include "qc_paint.h"

#include "qc_mem.h"

#include <string.h>

enum { MAX_WORDS = 64, MAX_NESTED = 50, FIRST_CAPACITY = 4096 };

typedef struct {
    const char *start;
    size_t length;
} word;

typedef struct {
    word words[MAX_WORDS];
    size_t count;
} word_list;

typedef struct {
    const char *text;
    size_t size, at;
    size_t line_start;
    size_t shown;   /* behind what was painted of this line */
    bool first;     /* nothing of this line was painted */
    int32_t line;   /* from 1 */
    word last;      /* the last token; its length is 0 if there is none */
    size_t soft_at; /* in rules->soft_lines */
    const qc_paint_rules *rules;
    word_list keywords, soft;
    qc_painted *out;
    bool no_memory;
} painter;

/* -------------------------------------------------------------------------------- words */

static bool read_words(word_list *list, const char *words)
{
    list->count = 0;
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        if (list->count == MAX_WORDS) {
            return false;
        }
        list->words[list->count++] = (word){words, length};
        words += length + (words[length] == ' ');
    }
    return true;
}

static bool is_one_of(const word_list *list, word name)
{
    for (size_t i = 0; i < list->count; i++) {
        const word *one = &list->words[i];
        if (one->start[0] == name.start[0] && one->length == name.length &&
            memcmp(one->start, name.start, name.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* ------------------------------------------------------------------------------- output */

static void put(painter *p, const char *bytes, size_t size)
{
    qc_painted *out = p->out;
    if (out->capacity - out->size < size) {
        size_t larger = out->capacity != 0 ? 2 * out->capacity : FIRST_CAPACITY;
        while (larger - out->size < size) {
            larger *= 2;
        }
        char *html = p->no_memory ? NULL : qc_realloc(out->html, out->capacity, larger);
        if (html == NULL) {
            p->no_memory = true;
            return;
        }
        out->html = html;
        out->capacity = larger;
    }
    memcpy(out->html + out->size, bytes, size);
    out->size += size;
}

static void put_string(painter *p, const char *string)
{
    put(p, string, strlen(string));
}

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#x27;";
    default:
        return NULL;
    }
}

static void put_escaped(painter *p, size_t start, size_t end)
{
    size_t plain = start;
    for (size_t i = start; i < end; i++) {
        const char *escape = escape_of(p->text[i]);
        if (escape != NULL) {
            put(p, p->text + plain, i - plain);
            put_string(p, escape);
            plain = i + 1;
        }
    }
    put(p, p->text + plain, end - plain);
}

/* A part of a token, within a line; the blanks before it, too. */
static void put_span(painter *p, const char *kind, size_t start, size_t end)
{
    if (start == end) {
        return;
    }
    for (; p->shown < start; p->shown++) {
        put(p, " ", 1);
    }
    put_string(p, "<span class=\"");
    put_string(p, kind);
    put_string(p, "\">");
    put_escaped(p, start, end);
    put_string(p, "</span>");
    p->shown = end;
    p->first = false;
}

/* Ends a line at the '\n' that is there. */
static void end_line(painter *p, size_t at)
{
    put(p, "\n", 1);
    p->line++;
    p->line_start = p->shown = at + 1;
    p->first = true;
}

/* A token that ends where the painter is; it may have several lines. */
static void put_token(painter *p, const char *kind, size_t start)
{
    p->last = (word){p->text + start, p->at - start};
    const char *found;
    while ((found = memchr(p->text + start, '\n', p->at - start)) != NULL) {
        size_t end = (size_t)(found - p->text);
        put_span(p, kind, start, end);
        end_line(p, end);
        start = end + 1;
    }
    put_span(p, kind, start, p->at);
}

/* ------------------------------------------------------------------------------ scanning */

static char peek(const painter *p, size_t ahead)
{
    return p->at + ahead < p->size ? p->text[p->at + ahead] : '\0';
}

static void skip_digits(painter *p)
{
    while (is_digit(peek(p, 0)) || (peek(p, 0) == '_' && is_digit(peek(p, 1)))) {
        p->at++;
    }
}

static bool is_digit_of(char c, char base)
{
    if (base == 'x') {
        return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
    }
    return c >= '0' && c <= (base == 'o' ? '7' : '1');
}

static void skip_number(painter *p)
{
    char base = (char)(peek(p, 1) | 0x20);
    if (peek(p, 0) == '0' && (base == 'x' || base == 'o' || base == 'b')) {
        p->at += 2;
        while (is_digit_of(peek(p, 0), base) ||
               (peek(p, 0) == '_' && is_digit_of(peek(p, 1), base))) {
            p->at++;
        }
        return;
    }
    skip_digits(p);
    if (peek(p, 0) == '.') {
        p->at++;
        if (is_digit(peek(p, 0))) {
            skip_digits(p);
        }
    }
    if ((peek(p, 0) | 0x20) == 'e') {
        size_t sign = peek(p, 1) == '+' || peek(p, 1) == '-';
        if (is_digit(peek(p, 1 + sign))) {
            p->at += 1 + sign;
            skip_digits(p);
        }
    }
    if ((peek(p, 0) | 0x20) == 'j') {
        p->at++;
    }
}

/* The length of the operator that is there; 0 if there is none. */
static size_t operator_length(const painter *p)
{
    static const char *const three[] = {"**=", "//=", ">>=", "<<=", "..."};
    static const char *const two[] = {"**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=",
                                      "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":="};
    size_t left = p->size - p->at;
    for (size_t i = 0; left >= 3 && i < sizeof three / sizeof *three; i++) {
        if (memcmp(p->text + p->at, three[i], 3) == 0) {
            return 3;
        }
    }
    for (size_t i = 0; left >= 2 && i < sizeof two / sizeof *two; i++) {
        if (memcmp(p->text + p->at, two[i], 2) == 0) {
            return 2;
        }
    }
    char c = p->text[p->at];
    return c != '\0' && strchr("+-*/%&|^~<>=()[]{},:.;@", c) != NULL &&
           (c != '<' || peek(p, 1) != '>');
}

/* ------------------------------------------------------------------------------- strings */

typedef struct {
    char quote;
    size_t quotes; /* 1 or 3 */
    bool raw, bytes, fields, template;
} string_kind;

/* What the letters before a quote say. False if they are no prefix of a string. */
static bool read_prefix(string_kind *kind, word letters)
{
    if (letters.length > 2) {
        return false;
    }
    for (size_t i = 0; i < letters.length; i++) {
        switch (letters.start[i] | 0x20) {
        case 'b':
            kind->bytes = true;
            break;
        case 'f':
            kind->fields = true;
            break;
        case 't':
            kind->template = true;
            break;
        case 'r':
            kind->raw = true;
            break;
        case 'u':
            break;
        default:
            return false;
        }
    }
    return true;
}

static bool at_end_of(const painter *p, const string_kind *kind)
{
    return peek(p, 0) == kind->quote &&
           (kind->quotes == 1 || (peek(p, 1) == kind->quote && peek(p, 2) == kind->quote));
}

/* The tokenizer gives no token for a backslash at the end of a line; coverage.py guesses that there
 * was one outside of strings if the line before has one. Where a string goes on after such a line
 * it compares texts: is it right there? */
static bool guess_is_right(const painter *p, size_t start)
{
    const char *newline = memchr(p->text + start, '\n', p->at - start);
    if (newline == NULL || newline[-1] != '\\' || p->first) {
        return true;
    }
    const char *end = newline;
    while (end > p->text + p->line_start && (end[-1] == ' ' || end[-1] == '\\')) {
        end--;
    }
    return (size_t)(end - p->text) < p->last.length ||
           memcmp(end - p->last.length, p->last.start, p->last.length) != 0;
}

static bool paint_plain_string(painter *p, const string_kind *kind, size_t start)
{
    while (p->at < p->size && !at_end_of(p, kind)) {
        if (p->text[p->at] == '\n' && kind->quotes == 1) {
            return false;
        }
        p->at += 1 + (p->text[p->at] == '\\');
    }
    if (p->at >= p->size) {
        return false;
    }
    p->at += kind->quotes;
    if (!guess_is_right(p, start)) {
        return false;
    }
    put_token(p, "str", start);
    return true;
}

static bool paint_field(painter *p, int nested);

/* What comes behind the ":" of a field, up to its "}". */
static bool paint_format(painter *p, int nested)
{
    size_t start = p->at;
    for (;;) {
        char c = peek(p, 0);
        if (c == '}' || c == '{') {
            put_token(p, "fst", start);
            if (c == '}') {
                return true;
            }
            if (peek(p, 1) == '{' || !paint_field(p, nested)) {
                return false;
            }
            start = p->at;
        } else if (c == '\0' || c == '\n' || c == '\\' || c == '\'' || c == '"') {
            return false;
        } else {
            p->at++;
        }
    }
}

static bool paint_token(painter *p, int nested);

static void put_operator(painter *p, size_t length)
{
    size_t start = p->at;
    p->at += length;
    put_token(p, "op", start);
}

/* A replacement field, from its "{" to its "}". */
static bool paint_field(painter *p, int nested)
{
    int depth = 0;
    put_operator(p, 1);
    while (p->at < p->size) {
        char c = p->text[p->at];
        if (depth == 0 && c == '}') {
            put_operator(p, 1);
            return true;
        }
        if (depth == 0 && c == ':') {
            put_operator(p, 1);
            if (!paint_format(p, nested)) {
                return false;
            }
            continue;
        }
        if (depth == 0 && c == '!' && peek(p, 1) != '=') {
            put_operator(p, 1);
            continue;
        }
        depth += c == '(' || c == '[' || c == '{';
        depth -= c == ')' || c == ']' || c == '}';
        if (depth < 0 || c == '\\' || !paint_token(p, nested)) {
            return false;
        }
    }
    return false;
}

static bool paint_fstring(painter *p, const string_kind *kind, size_t start, int nested)
{
    if (nested >= MAX_NESTED) {
        return false;
    }
    put_token(p, "fst", start);
    start = p->at;
    while (p->at < p->size && !at_end_of(p, kind)) {
        char c = p->text[p->at], next = peek(p, 1);
        if ((c == '{' || c == '}') && next == c) {
            p->at += 2;
            put_token(p, "fst", start);
            start = p->at;
        } else if (c == '{') {
            put_token(p, "fst", start);
            if (!paint_field(p, nested + 1)) {
                return false;
            }
            start = p->at;
        } else if (c == '}' || (c == '\n' && kind->quotes == 1) ||
                   (c == '\\' && (next == 'N' || next == '{' || next == '}' || next == '\n'))) {
            return false;
        } else {
            p->at += 1 + (c == '\\');
        }
    }
    if (p->at >= p->size) {
        return false;
    }
    put_token(p, "fst", start);
    start = p->at;
    p->at += kind->quotes;
    put_token(p, "fst", start);
    return true;
}

/* A string whose prefix begins at `start`; the painter is at its quote. */
static bool paint_string(painter *p, string_kind *kind, size_t start, int nested)
{
    kind->quote = peek(p, 0);
    kind->quotes = 3;
    if (!at_end_of(p, kind)) {
        kind->quotes = 1;
    }
    p->at += kind->quotes;
    if (kind->template) {
        return false;
    }
    if (kind->fields && p->rules->fstrings) {
        return paint_fstring(p, kind, start, nested);
    }
    return paint_plain_string(p, kind, start);
}

/* -------------------------------------------------------------------------------- tokens */

static bool is_soft_line(painter *p)
{
    const qc_paint_rules *rules = p->rules;
    while (p->soft_at < rules->soft_count && rules->soft_lines[p->soft_at] < p->line) {
        p->soft_at++;
    }
    return p->soft_at < rules->soft_count && rules->soft_lines[p->soft_at] == p->line;
}

static bool paint_name(painter *p, int nested)
{
    size_t start = p->at;
    while (is_letter(peek(p, 0)) || is_digit(peek(p, 0))) {
        p->at++;
    }
    word name = {p->text + start, p->at - start};
    if (peek(p, 0) == '"' || peek(p, 0) == '\'') {
        string_kind kind = {0};
        return read_prefix(&kind, name) && paint_string(p, &kind, start, nested);
    }
    bool key =
        is_one_of(&p->keywords, name) || (p->first && is_soft_line(p) && is_one_of(&p->soft, name));
    put_token(p, key ? "key" : "nam", start);
    return (peek(p, 0) & 0x80) == 0;
}

/* A backslash at the end of a line. */
static bool paint_continuation(painter *p)
{
    size_t start = p->at;
    if (peek(p, 1) != '\n' || p->first) {
        return false;
    }
    p->at++;
    put_span(p, "xx", start, p->at);
    end_line(p, p->at);
    p->at++;
    while (peek(p, 0) == ' ') {
        p->at++;
    }
    char next = peek(p, 0);
    return next != '\n' && next != '\\' && next != '#' && next != '\0';
}

/* The token, the blank or the line end that is there. False if that isn't sure. */
static bool paint_token(painter *p, int nested)
{
    char c = p->text[p->at];
    size_t start = p->at;
    if (c == ' ' || c == '\f') {
        p->at++;
        return true;
    }
    if (c == '\n') {
        end_line(p, p->at++);
        return true;
    }
    if (is_letter(c)) {
        return paint_name(p, nested);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(p, 1)))) {
        skip_number(p);
        put_token(p, "num", start);
        return (peek(p, 0) & 0x80) == 0;
    }
    if (c == '"' || c == '\'') {
        string_kind kind = {0};
        return paint_string(p, &kind, start, nested);
    }
    if (c == '#') {
        const char *end = memchr(p->text + start, '\n', p->size - start);
        p->at = end != NULL ? (size_t)(end - p->text) : p->size;
        put_token(p, "com", start);
        return true;
    }
    if (c == '\\') {
        return paint_continuation(p);
    }
    size_t length = operator_length(p);
    put_operator(p, length);
    return length != 0;
}

static bool paint_all(painter *p)
{
    if (p->size > INT32_MAX / 2 || memchr(p->text, '\0', p->size) != NULL ||
        memchr(p->text, '\r', p->size) != NULL || memchr(p->text, '\t', p->size) != NULL ||
        !read_words(&p->keywords, p->rules->keywords) ||
        !read_words(&p->soft, p->rules->soft_keywords)) {
        return false;
    }
    while (p->at < p->size && !p->no_memory) {
        if (!paint_token(p, 0)) {
            return false;
        }
    }
    return p->shown >= p->size; /* blanks at the end of the text: no line, or one */
}

qc_paint_result qc_paint(qc_painted *painted, const char *text, size_t size,
                         const qc_paint_rules *rules)
{
    painter p = {.text = text, .size = size, .first = true, .line = 1, .rules = rules};
    *painted = (qc_painted){0};
    p.out = painted;
    bool sure = paint_all(&p);
    if (sure && !p.no_memory) {
        return QC_PAINT_DONE;
    }
    qc_painted_free(painted);
    return p.no_memory ? QC_PAINT_NO_MEMORY : QC_PAINT_UNSURE;
}

void qc_painted_free(qc_painted *painted)
{
    qc_free(painted->html, painted->capacity);
    *painted = (qc_painted){0};
}
