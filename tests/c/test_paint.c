#include "qc_mem.h"
#include "qc_paint.h"
#include "qc_test.h"

#include <string.h>

/* What all the tests have: few keywords, one soft line. */
static qc_paint_result paint(qc_painted *painted, const char *text, bool fstrings)
{
    static const int32_t soft_lines[] = {2};
    const qc_paint_rules rules = {"if else def", "match case", soft_lines, 1, fstrings};
    return qc_paint(painted, text, strlen(text), &rules);
}

static void check(const char *text, bool fstrings, const char *html)
{
    qc_painted painted;

    CHECK_EQ(paint(&painted, text, fstrings), QC_PAINT_DONE);
    CHECK_EQ(painted.size, strlen(html));
    CHECK(painted.size == 0 || memcmp(painted.html, html, painted.size) == 0);
    qc_painted_free(&painted);
    CHECK_EQ(qc_mem_bytes(), 0);
}

#define SPAN(kind, text) "<span class=\"" kind "\">" text "</span>"
#define KEY(text) SPAN("key", text)
#define NAM(text) SPAN("nam", text)
#define OP(text) SPAN("op", text)
#define NUM(text) SPAN("num", text)
#define STR(text) SPAN("str", text)
#define FST(text) SPAN("fst", text)

static void nothing(void)
{
    check("", true, "");
    check("\n  \n", true, "\n\n");
}

static void tokens(void)
{
    check("if a<b:\n  c  # d & e \n", true,
          KEY("if") " " NAM("a") OP("&lt;") NAM("b")
              OP(":") "\n  " NAM("c") "  " SPAN("com", "# d &amp; e ") "\n");
    check("x **= 1_0.5e-3j//.5", true,
          NAM("x") " " OP("**=") " " NUM("1_0.5e-3j") OP("//") NUM(".5"));
    check("0xF_f+0b1-0o7+1if x", true,
          NUM("0xF_f") OP("+") NUM("0b1") OP("-") NUM("0o7") OP("+") NUM("1")
              KEY("if") " " NAM("x"));
    check("1..a...", true, NUM("1.") OP(".") NAM("a") OP("..."));
}

static void soft_keywords(void)
{
    check("match\nmatch match\nmatch\n", true,
          NAM("match") "\n" KEY("match") " " NAM("match") "\n" NAM("match") "\n");
}

static void strings(void)
{
    check("b'\\'' \"'\"", true, STR("b&#x27;\\&#x27;&#x27;") " " STR("&quot;&#x27;&quot;"));
    check("x = '''a\n\n b'''.c\n", true,
          NAM("x") " " OP("=") " " STR("&#x27;&#x27;&#x27;a") "\n\n" STR(" b&#x27;&#x27;&#x27;")
              OP(".") NAM("c") "\n");
    check("f'{a}'\n", false, STR("f&#x27;{a}&#x27;") "\n");
}

static void fstrings(void)
{
    check("f'a{{{b!r:>{c}}'", true,
          FST("f&#x27;") FST("a{{") OP("{") NAM("b") OP("!") NAM("r") OP(":") FST("&gt;") OP("{")
              NAM("c") OP("}") OP("}") FST("&#x27;"));
    check("f'{a!=b}{f\"{c}\"}'", true,
          FST("f&#x27;") OP("{") NAM("a") OP("!=") NAM("b") OP("}") OP("{") FST("f&quot;") OP("{")
              NAM("c") OP("}") FST("&quot;") OP("}") FST("&#x27;"));
    check("f'''a\n{b}'''", true,
          FST("f&#x27;&#x27;&#x27;") FST("a") "\n" OP("{") NAM("b") OP("}")
              FST("&#x27;&#x27;&#x27;"));
}

static void continuations(void)
{
    check("a + \\\n  b\n", true, NAM("a") " " OP("+") " " SPAN("xx", "\\") "\n  " NAM("b") "\n");
    check("a('''\\\n b''')\n", true,
          NAM("a") OP("(") STR("&#x27;&#x27;&#x27;\\") "\n" STR(" b&#x27;&#x27;&#x27;")
              OP(")") "\n");
}

static void unsure(void)
{
    static const char *const texts[] = {
        "a\t\n",
        "a\r\n",
        "\xc3\xa4\n",
        "a\xc3\xa4\n",
        "1\xc3\xa4\n",
        "a ",
        "'",
        "'\n'",
        "'''a''",
        "x'a'",
        "fx''",
        "t''",
        "f'",
        "f'{'",
        "f'{a",
        "f'{a:",
        "f'}'",
        "f'\n'",
        "f'\\N{a}'",
        "f'{a:\\n}'",
        "f'{a:{{}}}'",
        "f'{a\\\n}'",
        "f'{)}'",
        "f'\\\n'",
        "\\\na",
        "a \\\n",
        "a \\\n\n",
        "a \\\n # b\n",
        "a \\\n\\\nb",
        "a \\ \nb",
        "'=' = '=\\\n'",
        "a = '=\\\n'",
        "?",
        "$",
        "a <> b",
        "!",
    };
    static char deep[400];
    qc_painted painted;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_EQ(paint(&painted, texts[i], true), QC_PAINT_UNSURE);
        CHECK_EQ(qc_mem_bytes(), 0);
    }
    for (size_t i = 0; i + 3 < sizeof deep; i += 3) {
        memcpy(deep + i, "f'{", 3);
    }
    CHECK_EQ(paint(&painted, deep, true), QC_PAINT_UNSURE);
    CHECK_EQ(qc_paint(&painted, "a\0b", 3, &(qc_paint_rules){.keywords = "", .soft_keywords = ""}),
             QC_PAINT_UNSURE);
}

static void too_many_words(void)
{
    char words[2 * 65];
    qc_painted painted;

    for (size_t i = 0; i < sizeof words; i += 2) {
        words[i] = 'a';
        words[i + 1] = ' ';
    }
    words[sizeof words - 1] = '\0';
    CHECK_EQ(qc_paint(&painted, "", 0, &(qc_paint_rules){words, "", NULL, 0, true}),
             QC_PAINT_UNSURE);
}

static void no_memory(void)
{
    enum { NAMES = 2000 };
    static char text[2 * NAMES + 1];
    qc_painted painted;

    for (int i = 0; i < NAMES; i++) {
        memcpy(text + 2 * i, "a+", 2);
    }
    for (long n = 1; n <= 3; n++) {
        qc_mem_fail_after(n);
        CHECK_EQ(paint(&painted, text, true), QC_PAINT_NO_MEMORY);
        CHECK_EQ(qc_mem_bytes(), 0);
    }
    qc_mem_fail_after(0);
}

int main(void)
{
    RUN(nothing);
    RUN(tokens);
    RUN(soft_keywords);
    RUN(strings);
    RUN(fstrings);
    RUN(continuations);
    RUN(unsure);
    RUN(too_many_words);
    RUN(no_memory);
    return test_report();
}
