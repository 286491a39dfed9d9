#include "qc_mem.h"
#include "qc_outline.h"
#include "qc_test.h"

#include <string.h>

static qc_outline_result make(qc_outline *outline, const char *text)
{
    return qc_outline_make(outline, text, strlen(text), true, true);
}

static int32_t last_line(const char *text)
{
    int32_t line = 1;

    for (; *text != '\0'; text++) {
        line += *text == '\n';
    }
    return line;
}

/* The kinds of the statements of a text, which must be understood. */
static void check_kinds(const char *text, const int32_t *kinds, size_t n)
{
    qc_outline outline;
    const char *reason = "";

    CHECK_EQ(make(&outline, text), QC_OUTLINE_DONE);
    CHECK_EQ(outline.statement_count, n);
    for (size_t i = 0; i < n && i < outline.statement_count; i++) {
        CHECK_EQ(outline.statements[i].kind, kinds[i]);
    }
    CHECK(qc_outline_check(&outline, last_line(text), &reason));
    qc_outline_free(&outline);
    CHECK_EQ(qc_mem_bytes(), 0);
}

static void nothing(void)
{
    check_kinds("", NULL, 0);
    check_kinds("\n  # nothing\n\n", NULL, 0);
}

static void statements(void)
{
    static const int32_t kinds[] = {
        QC_STMT_DOC,       QC_STMT_IF,      QC_STMT_BREAK,  QC_STMT_ELSE,   QC_STMT_IF,
        QC_STMT_RAISE,     QC_STMT_ELSE,    QC_STMT_SIMPLE, QC_STMT_SIMPLE, QC_STMT_FUNCTION,
        QC_STMT_DECORATOR, QC_STMT_RETURN,  QC_STMT_TRY,    QC_STMT_SIMPLE, QC_STMT_HANDLER,
        QC_STMT_SIMPLE,    QC_STMT_FINALLY, QC_STMT_SIMPLE,
    };

    check_kinds("'doc'\n"
                "if a:\n    break\nelif b: raise\nelse:\n    c; d\n"
                "@e\nasync def f(): return\n"
                "try:\n  g\nexcept h: i\nfinally:\n  j\n",
                kinds, sizeof kinds / sizeof *kinds);
}

static void match_is_a_name_too(void)
{
    static const int32_t kinds[] = {
        QC_STMT_SIMPLE, QC_STMT_MATCH, QC_STMT_CASE, QC_STMT_SIMPLE, QC_STMT_CASE, QC_STMT_SIMPLE,
    };
    qc_outline outline;
    static const char text[] = "match = 1\nmatch x:\n  case 1: a\n  case (_):\n    b\n";

    check_kinds(text, kinds, sizeof kinds / sizeof *kinds);
    CHECK_EQ(make(&outline, text), QC_OUTLINE_DONE);
    CHECK_EQ(outline.statements[2].extra, 0);
    CHECK_EQ(outline.statements[4].extra, 1);
    qc_outline_free(&outline);
}

static void lines(void)
{
    qc_outline outline;

    CHECK_EQ(make(&outline, "x = (\n 1)\nif g(f'{a['b']:{c}}') \\\n  : d\n"), QC_OUTLINE_DONE);
    CHECK_EQ(outline.line_count, 2);
    CHECK_EQ(outline.lines[0].first, 1);
    CHECK_EQ(outline.lines[0].last, 2);
    CHECK_EQ(outline.lines[0].colon, 0);
    CHECK_EQ(outline.lines[1].first, 3);
    CHECK_EQ(outline.lines[1].last, 4);
    CHECK_EQ(outline.lines[1].colon, 4);
    CHECK_EQ(outline.statements[2].first, 3);
    CHECK_EQ(outline.statements[2].line, 4);
    qc_outline_free(&outline);
}

static void constants(void)
{
    static const struct {
        const char *text;
        int32_t constant;
    } tests[] = {
        {"if 0: a\n", QC_CONSTANT_FALSE},        {"if not 0 and 1: a\n", QC_CONSTANT_TRUE},
        {"if x or 1: a\n", QC_CONSTANT_NOT},     {"if (1 or x): a\n", QC_CONSTANT_NOT},
        {"if __debug__: a\n", QC_CONSTANT_TRUE}, {"if 1 == 1: a\n", QC_CONSTANT_NOT},
    };
    qc_outline outline;

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        CHECK_EQ(make(&outline, tests[i].text), QC_OUTLINE_DONE);
        CHECK_EQ(outline.statements[0].extra, tests[i].constant);
        qc_outline_free(&outline);
    }
    CHECK_EQ(make(&outline, "if 'a' 'b': c\n"), QC_OUTLINE_UNSURE);
    CHECK_EQ(make(&outline, "if 1or 2: c\n"), QC_OUTLINE_UNSURE);
    CHECK_EQ(make(&outline, "match x:\ny\n"), QC_OUTLINE_UNSURE);
    CHECK_EQ(make(&outline, "match x:\n case y: z\n z\n"), QC_OUTLINE_UNSURE);
}

static void unsure(void)
{
    static const char *const texts[] = {
        "x",         "x = (\n",         "x = 'a\n",     "\\\nx\n",  "if x\n",
        "if x:\n",   "  if x:\n y\n",   "x = )\n",      "@a\n",     "def\n",
        "try:\nx\n", "match x:\n  y\n", "f'{a:\\n}'\n", "f'{{a'\n", "f'{'\n",
        ":\n;\n",    "\x01\n",          "class\n",
    };
    qc_outline outline;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *reason = "";

        if (make(&outline, texts[i]) == QC_OUTLINE_DONE) {
            CHECK(qc_outline_check(&outline, last_line(texts[i]), &reason));
        }
        qc_outline_free(&outline);
        CHECK_EQ(qc_mem_bytes(), 0);
    }
}

static void no_memory(void)
{
    qc_outline outline;

    for (long n = 1; n <= 3; n++) {
        qc_mem_fail_after(n);
        CHECK_EQ(make(&outline, "if x:\n  y\n"), QC_OUTLINE_NO_MEMORY);
        CHECK_EQ(qc_mem_bytes(), 0);
    }
    qc_mem_fail_after(0);
}

static void deep(void)
{
    enum { LEVELS = 120, ELIFS = 5000 };
    static char text[LEVELS * (LEVELS + 8) + 10 * ELIFS];
    char *end = text;
    qc_outline outline;

    for (int level = 0; level < LEVELS; level++) {
        end += sprintf(end, "%*sif x:\n", level, "");
    }
    CHECK_EQ(make(&outline, text), QC_OUTLINE_UNSURE);
    end = text + sprintf(text, "if x:y\n");
    for (int i = 0; i < ELIFS; i++) {
        end += sprintf(end, "elif x:y\n");
    }
    CHECK_EQ(make(&outline, text), QC_OUTLINE_UNSURE);
    CHECK_EQ(qc_mem_bytes(), 0);
}

int main(void)
{
    RUN(nothing);
    RUN(statements);
    RUN(match_is_a_name_too);
    RUN(lines);
    RUN(constants);
    RUN(unsure);
    RUN(no_memory);
    RUN(deep);
    return test_report();
}
