#include "qc_expression.h"

#include <string.h>

enum { MAX_NESTING = 100 };

typedef struct {
    const qc_lex *lex;
    uint32_t at, to;
    bool debug;
    bool odd; /* there was a number that may be more than it, or an operand that is unsure */
    int nesting;
} reader;

static int read_or(reader *r);

static const qc_token *next_token(const reader *r)
{
    return r->at < r->to ? &r->lex->tokens[r->at] : NULL;
}

static bool take_name(reader *r, const char *name)
{
    const qc_token *token = next_token(r);
    bool found = token != NULL && qc_lex_is(r->lex, token, name);
    r->at += found;
    return found;
}

static bool is_operator(const qc_token *token, char c)
{
    return token != NULL && token->kind == QC_TOKEN_OPERATOR && token->first == (uint8_t)c;
}

static int of_bool(bool value)
{
    return value ? QC_CONSTANT_TRUE : QC_CONSTANT_FALSE;
}

/* Is this character part of numbers like this one? In "0or 1" there is more than a number. */
static bool is_of_number(char radix, char c)
{
    static const struct {
        char radix;
        const char *digits;
    } kinds[] = {
        {'x', "0123456789abcdefABCDEF_"},
        {'o', "01234567_"},
        {'b', "01_"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (radix == kinds[i].radix) {
            return strchr(kinds[i].digits, c) != NULL;
        }
    }
    return strchr("0123456789_.eEjJ+-", c) != NULL;
}

/* Whether a decimal integer is 0; other numbers are unsure. */
static int number_value(reader *r, const qc_token *token)
{
    const char *text = r->lex->text + token->start;
    uint32_t size = token->end - token->start;
    char radix = size > 2 && text[0] == '0' ? (char)(text[1] | 0x20) : '0';
    bool decimal = true, nonzero = false;
    for (uint32_t i = strchr("xob", radix) != NULL ? 2 : 0; i < size; i++) {
        r->odd |= !is_of_number(radix, text[i]);
        decimal &= (text[i] >= '0' && text[i] <= '9') || text[i] == '_';
        nonzero |= text[i] >= '1' && text[i] <= '9';
    }
    return decimal && strchr("xob", radix) == NULL ? of_bool(nonzero) : QC_CONSTANT_UNSURE;
}

static bool is_string(const qc_token *token)
{
    return token != NULL &&
           (token->kind == QC_TOKEN_STRING || token->kind == QC_TOKEN_OTHER_STRING);
}

static int read_atom(reader *r)
{
    const qc_token *token = next_token(r);
    if (is_operator(token, '(') && r->nesting < MAX_NESTING) {
        r->at++;
        r->nesting++;
        int value = read_or(r);
        r->nesting--;
        if (!is_operator(next_token(r), ')')) {
            return value == QC_CONSTANT_UNSURE ? value : QC_CONSTANT_NOT;
        }
        r->at++;
        return value;
    }
    if (take_name(r, "True")) {
        return QC_CONSTANT_TRUE;
    }
    if (take_name(r, "False") || take_name(r, "None")) {
        return QC_CONSTANT_FALSE;
    }
    if (take_name(r, "__debug__")) {
        return of_bool(r->debug);
    }
    if (token == NULL || token->kind == QC_TOKEN_NAME ||
        (token->kind == QC_TOKEN_OPERATOR && token->first != '.')) {
        return QC_CONSTANT_NOT;
    }
    if (token->kind == QC_TOKEN_NUMBER) {
        r->at++;
        return number_value(r, token);
    }
    while (is_string(next_token(r)) || is_operator(next_token(r), '.')) {
        r->at++;
    }
    return QC_CONSTANT_UNSURE;
}

static int read_not(reader *r)
{
    bool negated = false;
    while (take_name(r, "not")) {
        negated = !negated;
    }
    int value = read_atom(r);
    if (!negated || value == QC_CONSTANT_UNSURE || value == QC_CONSTANT_NOT) {
        return value;
    }
    return of_bool(value == QC_CONSTANT_FALSE);
}

/* Operands with the same operator between them. All are read, as far as they are understood. */
static int read_operands(reader *r, const char *operator, int (*operand)(reader *), bool any)
{
    int value = operand(r);
    while (value > QC_CONSTANT_NOT && take_name(r, operator)) {
        int right = operand(r);
        if (right <= QC_CONSTANT_NOT) {
            return right;
        }
        bool left = value == QC_CONSTANT_TRUE, other = right == QC_CONSTANT_TRUE;
        value = of_bool(any ? left || other : left && other);
    }
    r->odd |= value == QC_CONSTANT_UNSURE && take_name(r, operator);
    return value;
}

static int read_and(reader *r)
{
    return read_operands(r, "and", read_not, false);
}

static int read_or(reader *r)
{
    return read_operands(r, "or", read_and, true);
}

int qc_expression_constant(const qc_lex *lex, uint32_t from, uint32_t to, bool debug)
{
    reader r = {.lex = lex, .at = from, .to = to, .debug = debug};
    int value = read_or(&r);
    /* Whatever follows (a comparison, a call, a comma) makes it something else. */
    return r.odd ? QC_CONSTANT_UNSURE : r.at == to ? value : QC_CONSTANT_NOT;
}

/* Finds a token outside the brackets within these tokens, from behind; `to` if there is none. */
static uint32_t find_last(const qc_lex *lex, uint32_t from, uint32_t to, char c, const char *name)
{
    for (uint32_t i = to; i-- > from;) {
        const qc_token *token = &lex->tokens[i];
        if (token->depth == lex->tokens[from].depth &&
            (name != NULL ? qc_lex_is(lex, token, name) : is_operator(token, c))) {
            return i;
        }
    }
    return to;
}

static bool is_literal_name(const qc_lex *lex, const qc_token *token)
{
    return qc_lex_is(lex, token, "True") || qc_lex_is(lex, token, "False") ||
           qc_lex_is(lex, token, "None");
}

/* coverage.py looks at the last alternative, and what a name is given to; once it has met a name
 * that is given, it looks at alternatives no more. */
bool qc_pattern_irrefutable(const qc_lex *lex, uint32_t from, uint32_t to)
{
    bool alternatives = true;
    while (from < to) {
        const qc_token *token = &lex->tokens[from];
        uint32_t found;
        if (find_last(lex, from, to, ',', NULL) != to) {
            return false;
        }
        if ((found = find_last(lex, from, to, 0, "as")) != to) {
            to = found;
            alternatives = false;
        } else if ((found = find_last(lex, from, to, '|', NULL)) != to) {
            if (!alternatives) {
                return false;
            }
            from = found + 1;
        } else if (to - from == 1) {
            return token->kind == QC_TOKEN_NAME && !is_literal_name(lex, token);
        } else if (is_operator(token, '(') && lex->tokens[to - 1].depth == token->depth &&
                   find_last(lex, from, to, ')', NULL) == to - 1) {
            from++;
            to--;
        } else {
            return false;
        }
    }
    return false;
}
