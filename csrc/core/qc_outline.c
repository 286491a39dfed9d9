#include "qc_outline.h"

#include "qc_expression.h"
#include "qc_lex.h"
#include "qc_mem.h"

#include <string.h>

enum { FIRST_CAPACITY = 256, MAX_NESTING = 3000 };

typedef struct {
    qc_lex lex; /* its line is the one that is to be read next */
    qc_outline *outline;
    bool debug;
    bool more; /* there is such a line */
    int nesting;
    int32_t last; /* the line of the last token read */
    qc_outline_result result;
} parser;

static bool parse_statement(parser *p);

static bool fail(parser *p, qc_outline_result result)
{
    p->result = result;
    return false;
}

/* An array with room for one more item; NULL if there is no memory. */
static void *grown(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    uint32_t new_capacity = *capacity != 0 ? 2 * *capacity : FIRST_CAPACITY;
    void *found = qc_realloc(items, *capacity * size, new_capacity * size);
    *capacity = found != NULL ? new_capacity : *capacity;
    return found;
}

static bool add_line(parser *p)
{
    qc_outline *outline = p->outline;
    void *lines =
        grown(outline->lines, outline->line_count, &outline->line_capacity, sizeof *outline->lines);
    if (lines == NULL) {
        return fail(p, QC_OUTLINE_NO_MEMORY);
    }
    outline->lines = lines;
    outline->lines[outline->line_count++] = (qc_logical_line){
        .first = p->lex.tokens[0].line,
        .last = p->lex.last_line,
        .indent = (int32_t)p->lex.indent,
        .colon = p->lex.last_colon,
    };
    return true;
}

/* Steps to the next logical line. */
static bool next_line(parser *p)
{
    switch (qc_lex_next(&p->lex)) {
    case QC_LEX_LINE:
        return add_line(p);
    case QC_LEX_END:
        p->more = false;
        return true;
    case QC_LEX_NO_MEMORY:
        return fail(p, QC_OUTLINE_NO_MEMORY);
    default:
        return fail(p, QC_OUTLINE_UNSURE);
    }
}

static const qc_token *token_at(const parser *p, uint32_t at)
{
    return at < p->lex.count ? &p->lex.tokens[at] : NULL;
}

static bool name_at(const parser *p, uint32_t at, const char *name)
{
    const qc_token *token = token_at(p, at);
    return token != NULL && qc_lex_is(&p->lex, token, name);
}

static bool operator_at(const parser *p, uint32_t at, char c)
{
    const qc_token *token = token_at(p, at);
    return token != NULL && token->kind == QC_TOKEN_OPERATOR && token->first == (uint8_t)c;
}

/* Begins a statement at that token; its position, or -1. */
static int32_t begin(parser *p, qc_statement_kind kind, uint32_t at)
{
    qc_outline *outline = p->outline;
    void *statements = grown(outline->statements, outline->statement_count,
                             &outline->statement_capacity, sizeof *outline->statements);
    if (statements == NULL) {
        fail(p, QC_OUTLINE_NO_MEMORY);
        return -1;
    }
    outline->statements = statements;
    outline->statements[outline->statement_count] = (qc_statement){
        .kind = kind, .first = p->lex.tokens[0].line, .line = p->lex.tokens[at].line};
    return (int32_t)outline->statement_count++;
}

/* Ends a statement behind what was read. */
static bool finish(parser *p, int32_t position)
{
    qc_statement *statement = &p->outline->statements[position];
    statement->end = p->last;
    statement->next = (int32_t)p->outline->statement_count;
    return true;
}

/* -------------------------------------------------------------------- simple statements */

/* Is it strings and nothing else, in any brackets? */
static bool is_doc(const parser *p, uint32_t from, uint32_t to)
{
    uint32_t i = from, opened = 0;
    for (; i < to && operator_at(p, i, '('); i++) {
        opened++;
    }
    uint32_t strings = i;
    while (i < to && p->lex.tokens[i].kind == QC_TOKEN_STRING) {
        i++;
    }
    if (i == strings || to - i != opened) {
        return false;
    }
    for (; i < to && operator_at(p, i, ')'); i++) {
    }
    return i == to;
}

static qc_statement_kind simple_kind(const parser *p, uint32_t from, uint32_t to)
{
    static const struct {
        const char *name;
        qc_statement_kind kind;
    } kinds[] = {
        {"return", QC_STMT_RETURN},
        {"raise", QC_STMT_RAISE},
        {"break", QC_STMT_BREAK},
        {"continue", QC_STMT_CONTINUE},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (qc_lex_is(&p->lex, &p->lex.tokens[from], kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return is_doc(p, from, to) ? QC_STMT_DOC : QC_STMT_SIMPLE;
}

/* Parses the simple statements from this token to the end of the logical line. */
static bool parse_simple(parser *p, uint32_t at)
{
    while (at < p->lex.count) {
        uint32_t to = at;
        while (to < p->lex.count && (p->lex.tokens[to].depth != 0 || !operator_at(p, to, ';'))) {
            to++;
        }
        int32_t position = to > at ? begin(p, simple_kind(p, at, to), at) : -1;
        if (position < 0) {
            return p->result == QC_OUTLINE_DONE ? fail(p, QC_OUTLINE_UNSURE) : false;
        }
        p->last = p->lex.tokens[to - 1].end_line;
        finish(p, position);
        at = to + 1;
    }
    p->last = p->lex.tokens[p->lex.count - 1].end_line;
    return next_line(p);
}

/* ------------------------------------------------------------------ compound statements */

/* The token that is the ":" of a header; 0 if there is none. */
static uint32_t header_colon(const parser *p, uint32_t at)
{
    uint32_t lambdas = 0;
    for (; at < p->lex.count; at++) {
        const qc_token *token = &p->lex.tokens[at];
        if (token->depth != 0) {
            continue;
        }
        if (qc_lex_is(&p->lex, token, "lambda")) {
            lambdas++;
        } else if (operator_at(p, at, ':')) {
            if (lambdas == 0) {
                return at;
            }
            lambdas--;
        }
    }
    return 0;
}

static bool parse_block(parser *p, uint32_t indent)
{
    if (!p->more || p->lex.indent != indent) {
        return fail(p, QC_OUTLINE_UNSURE);
    }
    while (p->more && p->lex.indent == indent) {
        if (!parse_statement(p)) {
            return false;
        }
    }
    return !p->more || p->lex.indent < indent || fail(p, QC_OUTLINE_UNSURE);
}

/* Parses what follows a header whose ":" is that token: a block, or simple statements. */
static bool parse_suite(parser *p, uint32_t colon)
{
    uint32_t indent = p->lex.indent;
    if (colon == 0) {
        return fail(p, QC_OUTLINE_UNSURE);
    }
    if (colon + 1 < p->lex.count) {
        return parse_simple(p, colon + 1);
    }
    p->last = p->lex.tokens[colon].end_line;
    return next_line(p) && parse_block(p, indent + 1);
}

/* Is the next logical line a further part of a statement with that indent? */
static bool goes_on(const parser *p, uint32_t indent, const char *name)
{
    return p->more && p->lex.indent == indent && name_at(p, 0, name);
}

/* Parses a part: a header with nothing of interest in it, and its suite. */
static bool parse_part(parser *p, qc_statement_kind kind)
{
    int32_t position = begin(p, kind, 0);
    return position >= 0 && parse_suite(p, header_colon(p, 0)) && finish(p, position);
}

static bool parse_else(parser *p, uint32_t indent)
{
    return !goes_on(p, indent, "else") || parse_part(p, QC_STMT_ELSE);
}

/* Begins a statement with a test. */
static int32_t begin_test(parser *p, qc_statement_kind kind)
{
    uint32_t colon = header_colon(p, 1);
    int constant = qc_expression_constant(&p->lex, 1, colon, p->debug);
    if (colon == 0 || constant == QC_CONSTANT_UNSURE) {
        fail(p, QC_OUTLINE_UNSURE);
        return -1;
    }
    int32_t position = begin(p, kind, 0);
    if (position >= 0) {
        p->outline->statements[position].extra = constant;
    }
    return position;
}

/* "if", or an "elif", which is an "if" in an "else". */
static bool parse_if(parser *p)
{
    uint32_t indent = p->lex.indent;
    int32_t position = begin_test(p, QC_STMT_IF);
    if (position < 0 || !parse_suite(p, header_colon(p, 1))) {
        return false;
    }
    if (goes_on(p, indent, "elif")) {
        int32_t otherwise = begin(p, QC_STMT_ELSE, 0);
        bool fine = otherwise >= 0 && (++p->nesting < MAX_NESTING || fail(p, QC_OUTLINE_UNSURE)) &&
                    parse_if(p) && finish(p, otherwise);
        p->nesting--;
        return fine && finish(p, position);
    }
    return parse_else(p, indent) && finish(p, position);
}

static bool parse_while(parser *p)
{
    uint32_t indent = p->lex.indent;
    int32_t position = begin_test(p, QC_STMT_WHILE);
    return position >= 0 && parse_suite(p, header_colon(p, 1)) && parse_else(p, indent) &&
           finish(p, position);
}

static bool parse_for(parser *p)
{
    uint32_t indent = p->lex.indent;
    int32_t position = begin(p, QC_STMT_FOR, 0);
    return position >= 0 && parse_suite(p, header_colon(p, 0)) && parse_else(p, indent) &&
           finish(p, position);
}

static bool parse_with(parser *p)
{
    return parse_part(p, QC_STMT_WITH);
}

static bool parse_try(parser *p)
{
    uint32_t indent = p->lex.indent;
    int32_t position = begin(p, QC_STMT_TRY, 0);
    if (position < 0 || !parse_suite(p, header_colon(p, 0))) {
        return false;
    }
    while (goes_on(p, indent, "except")) {
        if (!parse_part(p, QC_STMT_HANDLER)) {
            return false;
        }
    }
    if (!parse_else(p, indent) ||
        (goes_on(p, indent, "finally") && !parse_part(p, QC_STMT_FINALLY))) {
        return false;
    }
    return finish(p, position);
}

static bool parse_case(parser *p)
{
    uint32_t colon = header_colon(p, 1), to = 1;
    bool long_header = colon != 0 && p->lex.tokens[0].line != p->lex.tokens[colon].line;
    while (to < colon && (p->lex.tokens[to].depth != 0 || !name_at(p, to, "if"))) {
        to++;
    }
    bool always = to == colon && qc_pattern_irrefutable(&p->lex, 1, to);
    if (always && long_header) {
        return fail(p,
                    QC_OUTLINE_UNSURE); /* on which of these lines the pattern is, we don't know */
    }
    int32_t position = begin(p, QC_STMT_CASE, 0);
    if (position < 0) {
        return false;
    }
    p->outline->statements[position].extra = always;
    return parse_suite(p, colon) && finish(p, position);
}

static bool parse_match(parser *p)
{
    uint32_t indent = p->lex.indent;
    int32_t position = begin(p, QC_STMT_MATCH, 0);
    if (position < 0 || !next_line(p)) {
        return false;
    }
    do {
        if (!p->more || p->lex.indent != indent + 1 || !name_at(p, 0, "case")) {
            return fail(p, QC_OUTLINE_UNSURE);
        }
        if (!parse_case(p)) {
            return false;
        }
    } while (p->more && p->lex.indent > indent);
    return finish(p, position);
}

/* A line that begins with "match" is a statement of that kind if a suite follows. */
static bool is_match(const parser *p)
{
    return name_at(p, 0, "match") && p->lex.count > 2 && operator_at(p, p->lex.count - 1, ':');
}

static bool parse_definition(parser *p, int32_t position, uint32_t at)
{
    bool function = name_at(p, at, "def");
    const qc_token *name = token_at(p, at + 1);
    if ((!function && !name_at(p, at, "class")) || name == NULL) {
        return fail(p, QC_OUTLINE_UNSURE);
    }
    qc_statement *statement = &p->outline->statements[position];
    statement->kind = function ? QC_STMT_FUNCTION : QC_STMT_CLASS;
    statement->line = p->lex.tokens[0].line;
    statement->extra = (int32_t)name->start;
    return parse_suite(p, header_colon(p, at)) && finish(p, position);
}

static bool parse_decorated(parser *p)
{
    int32_t position = begin(p, QC_STMT_FUNCTION, 0);
    if (position < 0) {
        return false;
    }
    while (p->more && operator_at(p, 0, '@')) {
        uint32_t last = p->lex.count - 1;
        /* The line of the expression is that of the "@" only if no bracket is around it. */
        if (last == 0 ||
            (operator_at(p, 1, '(') && p->lex.tokens[0].line != p->lex.tokens[last].line)) {
            return fail(p, QC_OUTLINE_UNSURE);
        }
        int32_t decorator = begin(p, QC_STMT_DECORATOR, 1);
        p->last = p->lex.tokens[last].end_line;
        if (decorator < 0 || !finish(p, decorator) || !next_line(p)) {
            return false;
        }
    }
    return p->more ? parse_definition(p, position, name_at(p, 0, "async") ? 1 : 0)
                   : fail(p, QC_OUTLINE_UNSURE);
}

/* -------------------------------------------------------------------------- statements */

static bool parse_compound(parser *p, bool *known)
{
    uint32_t word = name_at(p, 0, "async") ? 1 : 0;
    *known = true;
    if (operator_at(p, 0, '@')) {
        return parse_decorated(p);
    }
    if (name_at(p, word, "def") || name_at(p, word, "class")) {
        int32_t position = begin(p, QC_STMT_FUNCTION, 0);
        return position >= 0 && parse_definition(p, position, word);
    }
    static const struct {
        const char *name;
        bool (*parse)(parser *);
    } compounds[] = {
        {"if", parse_if},   {"for", parse_for},     {"with", parse_with},
        {"try", parse_try}, {"while", parse_while},
    };
    for (size_t i = 0; i < sizeof compounds / sizeof *compounds; i++) {
        if (name_at(p, word, compounds[i].name)) {
            return compounds[i].parse(p);
        }
    }
    if (is_match(p)) {
        return parse_match(p);
    }
    *known = false;
    return true;
}

static bool parse_statement(parser *p)
{
    bool known;
    if (++p->nesting >= MAX_NESTING) {
        return fail(p, QC_OUTLINE_UNSURE);
    }
    bool fine = parse_compound(p, &known);
    if (!known) {
        fine = parse_simple(p, 0);
    }
    p->nesting--;
    return fine;
}

qc_outline_result qc_outline_make(qc_outline *outline, const char *text, size_t size, bool debug,
                                  bool nested_fstrings)
{
    parser p = {.outline = outline, .debug = debug, .more = true, .result = QC_OUTLINE_DONE};
    memset(outline, 0, sizeof *outline);
    qc_lex_init(&p.lex, text, size, nested_fstrings);
    if (next_line(&p) && p.more) {
        parse_block(&p, 0);
    }
    if (p.result == QC_OUTLINE_DONE && p.more) {
        p.result = QC_OUTLINE_UNSURE;
    }
    qc_lex_free(&p.lex);
    if (p.result != QC_OUTLINE_DONE) {
        qc_outline_free(outline);
    }
    return p.result;
}

void qc_outline_free(qc_outline *outline)
{
    qc_free(outline->statements, outline->statement_capacity * sizeof *outline->statements);
    qc_free(outline->lines, outline->line_capacity * sizeof *outline->lines);
    memset(outline, 0, sizeof *outline);
}

static bool wrong(const char **reason, const char *text)
{
    *reason = text;
    return false;
}

bool qc_outline_check(const qc_outline *outline, int32_t last_line, const char **reason)
{
    for (uint32_t i = 0; i < outline->statement_count; i++) {
        const qc_statement *statement = &outline->statements[i];
        if (statement->next <= (int32_t)i || statement->next > (int32_t)outline->statement_count) {
            return wrong(reason, "a statement ends before it begins, or behind all");
        }
        for (int32_t part = (int32_t)i + 1; part < statement->next;) {
            if (outline->statements[part].next > statement->next) {
                return wrong(reason, "a part goes beyond its statement");
            }
            part = outline->statements[part].next;
        }
        if (statement->first < 1 || statement->first > statement->line ||
            statement->line > statement->end || statement->end > last_line) {
            return wrong(reason, "lines out of order");
        }
    }
    for (uint32_t i = 0; i < outline->line_count; i++) {
        const qc_logical_line *line = &outline->lines[i];
        if (line->first > line->last || line->last > last_line ||
            (i != 0 && line->first < outline->lines[i - 1].first)) {
            return wrong(reason, "logical lines out of order");
        }
    }
    return true;
}
