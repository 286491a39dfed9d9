/* The one file where CPython's own tables of opcodes are compiled in: it exports none. */
#define QC_WANT_OPCODE_TABLES
#include "qc_compat_probe.h"

#if QC_HAVE_PROBES && QC_CODE_IS_BORN_WARM

void qc_code_plain(const PyCodeObject *code, uint8_t *plain)
{
    const uint8_t *at = (const uint8_t *)code->co_code_adaptive;
    const uint8_t *end = at + 2 * (size_t)Py_SIZE(code);
    while (at < end) {
        uint8_t opcode = _PyOpcode_Deopt[*at];
        plain[0] = opcode;
        plain[1] = at[1];
        at += 2;
        plain += 2;
        for (unsigned caches = _PyOpcode_Caches[opcode]; caches > 0 && at < end; caches--) {
            plain[0] = plain[1] = 0;
            at += 2;
            plain += 2;
        }
    }
}

#endif
