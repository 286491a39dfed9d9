/* The outline of arbitrary bytes, most of them invalid. */
#include "fuzz_input.h"
#include "qc_mem.h"
#include "qc_outline.h"

#include <string.h>

static const char *const pieces[] = {
    "if ",     "x",       ":",      "\n",     "  ",      "    ",    "else",       "elif ",
    "def f()", "class C", "try",    "except", "finally", "while 1", "for x in y", "with a",
    "match x", "case _",  "@a\n",   "'",      "\"\"\"",  "f'{",     "}",          "{",
    "(",       ")",       ",",      ";",      "#",       "\\\n",    "lambda",     "0",
    "not ",    " or ",    "return", "|",      " as ",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[1 << 16];
    size_t length =
        fuzz_source(text, sizeof text, data, size, pieces, sizeof pieces / sizeof *pieces);
    qc_outline outline;

    for (int nested = 0; nested < 2; nested++) {
        if (qc_outline_make(&outline, text, length, true, nested != 0) == QC_OUTLINE_DONE) {
            const char *reason = NULL;

            REQUIRE(qc_outline_check(&outline, (int32_t)length + 1, &reason));
        }
        qc_outline_free(&outline);
        REQUIRE(qc_mem_bytes() == 0);
    }
    return 0;
}
