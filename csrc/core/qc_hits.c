#include "qc_hits.h"

#include "qc_debug.h"
#include "qc_mem.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

static void verify_journal(const qc_journal *journal)
{
#ifdef QC_DEBUG
    const char *reason = NULL;

    if (qc_debug_due(journal->count) && !qc_journal_check(journal, &reason)) {
        qc_debug_fail("qc_journal", reason);
    }
#else
    (void)journal;
#endif
}

void qc_journal_init(qc_journal *journal)
{
    memset(journal, 0, sizeof *journal);
}

void qc_journal_free(qc_journal *journal)
{
    qc_free(journal->ids, qc_journal_bytes(journal));
    qc_journal_init(journal);
}

void qc_journal_clear(qc_journal *journal)
{
    journal->count = 0;
    journal->lost = false;
    verify_journal(journal);
}

int qc_journal_reserve_base(qc_journal *journal, uint32_t units, uint32_t *base)
{
    /* next_base itself must fit, so the very last ids stay unused. */
    if (units > (UINT32_MAX - journal->next_base) / QC_HIT_KINDS) {
        return -1;
    }
    *base = journal->next_base;
    journal->next_base += QC_HIT_KINDS * units;
    return 0;
}

int qc_journal_push_grow(qc_journal *journal, uint32_t id)
{
    size_t capacity = journal->capacity != 0 ? journal->capacity * 2 : FIRST_CAPACITY;
    uint32_t *ids = NULL;

    if (journal->capacity <= PTRDIFF_MAX / sizeof *ids / 2) {
        ids = qc_realloc(journal->ids, qc_journal_bytes(journal), capacity * sizeof *ids);
    }
    if (ids == NULL) {
        journal->lost = true;
        return -1;
    }
    journal->ids = ids;
    journal->capacity = capacity;
    journal->ids[journal->count++] = id;
    return 0;
}

size_t qc_journal_bytes(const qc_journal *journal)
{
    return journal->capacity * sizeof *journal->ids;
}

bool qc_journal_check(const qc_journal *journal, const char **reason)
{
    if (journal->count > journal->capacity || (journal->ids == NULL) != (journal->capacity == 0)) {
        return qc_debug_broken(reason, "count, capacity and ids don't go together");
    }
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->ids[i] >= journal->next_base) {
            return qc_debug_broken(reason, "an id that no record was given");
        }
    }
    return true;
}

void qc_journal_dump(const qc_journal *journal, FILE *out)
{
    fprintf(out, "journal: %zu ids, capacity %zu, next base %" PRIu32 "%s\n ", journal->count,
            journal->capacity, journal->next_base, journal->lost ? ", LOST SOME" : "");
    for (size_t i = 0; i < journal->count; i++) {
        fprintf(out, " %" PRIu32, journal->ids[i]);
    }
    fputc('\n', out);
}

int qc_hits_init(qc_hits *hits, qc_journal *journal, uint32_t units)
{
    uint8_t *bytes = NULL;

    *hits = (qc_hits){NULL, 0, 0};
    if (units != 0) {
        bytes = qc_calloc(units, 1);
        if (bytes == NULL) {
            return -1;
        }
    }
    if (qc_journal_reserve_base(journal, units, &hits->base) < 0) {
        qc_free(bytes, units);
        return -1;
    }
    hits->bytes = bytes;
    hits->units = units;
    return 0;
}

void qc_hits_free(qc_hits *hits)
{
    qc_free(hits->bytes, hits->units);
    *hits = (qc_hits){NULL, 0, 0};
}

void qc_hits_clear(qc_hits *hits)
{
    if (hits->units != 0) {
        memset(hits->bytes, 0, hits->units);
    }
}

size_t qc_hits_bytes(const qc_hits *hits)
{
    return hits->units;
}

bool qc_hits_check(const qc_hits *hits, const char **reason)
{
    if ((hits->bytes == NULL) != (hits->units == 0)) {
        return qc_debug_broken(reason, "bytes and units don't go together");
    }
    if (hits->units > (UINT32_MAX - hits->base) / QC_HIT_KINDS) {
        return qc_debug_broken(reason, "ids beyond 32 bits");
    }
    for (uint32_t unit = 0; unit < hits->units; unit++) {
        if ((hits->bytes[unit] & ~QC_HIT_ALL) != 0) {
            return qc_debug_broken(reason, "a flag that there isn't");
        }
    }
    return true;
}

void qc_hits_dump(const qc_hits *hits, FILE *out)
{
    fprintf(out, "hits: %" PRIu32 " units, base %" PRIu32 "\n", hits->units, hits->base);
    for (uint32_t unit = 0; unit < hits->units; unit++) {
        uint8_t byte = hits->bytes[unit];

        if (byte != 0) {
            fprintf(out, "  [%" PRIu32 "]%s%s%s%s\n", unit, (byte & QC_HIT_LINE) ? " line" : "",
                    (byte & QC_HIT_LEFT) ? " left" : "", (byte & QC_HIT_RIGHT) ? " right" : "",
                    (byte & QC_HIT_RETURN) ? " return" : "");
        }
    }
}

void qc_hits_verify(const qc_hits *hits, const qc_journal *journal)
{
    const char *reason = NULL;

    if (!qc_debug_due(journal->count)) {
        return;
    }
    if (!qc_hits_check(hits, &reason)) {
        qc_debug_fail("qc_hits", reason);
    }
    verify_journal(journal);
}
