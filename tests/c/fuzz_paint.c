/* Arbitrary bytes as HTML, most of them invalid source. */
#include "fuzz_input.h"
#include "qc_mem.h"
#include "qc_paint.h"

#include <string.h>

static const char *const pieces[] = {
    "if ", "x",  "match", ":",  "\n",   "  ", "'", "\"\"\"", "f'",   "f\"\"\"", "rf'", "b'",  "{",
    "}",   "{{", "!r",    "\\", "\\\n", "(",  ")", "#",      "1.e5", "0x",      ".",   "**=", "\\N",
};

/* Takes the spans and the escapes away; false if there is anything else with a "<" or a "&". */
static bool is_source(const qc_painted *painted, const char *text, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < painted->size; i++) {
        const char *html = painted->html + i;
        char expected = *html;

        if (*html == '<') {
            const char *end = memchr(html, '>', painted->size - i);
            if (end == NULL) {
                return false;
            }
            i += (size_t)(end - html);
            continue;
        }
        if (*html == '&') {
            const char *end = memchr(html, ';', painted->size - i);
            if (end == NULL) {
                return false;
            }
            expected = html[1] == 'a' ? '&' : html[1] == 'l' ? '<' : html[1] == 'g' ? '>' : '"';
            expected = html[1] == '#' ? '\'' : expected;
            i += (size_t)(end - html);
        }
        while (expected == '\n' && at < size && (text[at] == ' ' || text[at] == '\f')) {
            at++; /* at the end of a line, blanks are left out */
        }
        if (at == size || (text[at] != expected && !(text[at] == '\f' && expected == ' '))) {
            return false;
        }
        at++;
    }
    return at == size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[1 << 16];
    static const int32_t soft_lines[] = {1, 3};
    size_t length =
        fuzz_source(text, sizeof text, data, size, pieces, sizeof pieces / sizeof *pieces);

    for (int fstrings = 0; fstrings < 2; fstrings++) {
        const qc_paint_rules rules = {"if else", "match case", soft_lines, 2, fstrings != 0};
        qc_painted painted;

        if (qc_paint(&painted, text, length, &rules) == QC_PAINT_DONE) {
            REQUIRE(is_source(&painted, text, length));
        }
        qc_painted_free(&painted);
        REQUIRE(qc_mem_bytes() == 0);
    }
    return 0;
}
