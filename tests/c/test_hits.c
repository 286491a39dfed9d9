#include "qc_hits.h"
#include "qc_test.h"

static const unsigned FLAGS[] = {QC_HIT_LINE, QC_HIT_LEFT, QC_HIT_RIGHT, QC_HIT_RETURN};

static void ids_tell_record_unit_and_kind(void)
{
    qc_journal journal;
    qc_hits one, two;

    qc_journal_init(&journal);
    CHECK_EQ(qc_hits_init(&one, &journal, 10), 0);
    CHECK_EQ(qc_hits_init(&two, &journal, 5), 0);
    CHECK_EQ(one.base, 0);
    CHECK_EQ(two.base, 40);
    for (uint32_t kind = 0; kind < QC_HIT_KINDS; kind++) {
        CHECK_EQ(qc_hit_kind(FLAGS[kind]), kind);
        CHECK_EQ(qc_hits_id(&two, 3, FLAGS[kind]), 40 + 12 + kind);
        CHECK_EQ(qc_hits_mark(&two, &journal, 3, FLAGS[kind]), 1);
        CHECK_EQ(qc_hits_mark(&two, &journal, 3, FLAGS[kind]), 0);
        CHECK_EQ(journal.ids[kind], 52 + kind);
    }
    CHECK_EQ(two.bytes[3], QC_HIT_ALL);
    CHECK(!qc_hits_owns(&two, 39) && qc_hits_owns(&two, 40));
    CHECK(qc_hits_owns(&two, 59) && !qc_hits_owns(&two, 60));
    CHECK(qc_hits_owns(&one, 0) && !qc_hits_owns(&one, 40) && !qc_hits_owns(&one, UINT32_MAX));
    CHECK(qc_hits_check(&one, NULL) && qc_hits_check(&two, NULL));
    CHECK(qc_journal_check(&journal, NULL));
    CHECK_EQ(qc_hits_bytes(&one) + qc_hits_bytes(&two) + qc_journal_bytes(&journal),
             qc_mem_bytes());
    qc_hits_free(&one);
    qc_hits_free(&two);
    qc_hits_free(&two);
    qc_journal_free(&journal);
}

static void units_out_of_range_are_ignored(void)
{
    static const uint32_t beyond[] = {5, 6, 1000, UINT32_MAX / 4, UINT32_MAX};
    qc_journal journal;
    qc_hits hits, none;

    qc_journal_init(&journal);
    CHECK_EQ(qc_hits_init(&hits, &journal, 5), 0);
    CHECK_EQ(qc_hits_init(&none, &journal, 0), 0);
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        CHECK_EQ(qc_hits_mark(&hits, &journal, beyond[i], QC_HIT_LINE), 0);
        CHECK(!qc_hits_has(&hits, beyond[i], QC_HIT_LINE));
        qc_hits_clear_id(&hits, 4 * beyond[i]);
    }
    CHECK_EQ(qc_hits_mark(&none, &journal, 0, QC_HIT_LINE), 0);
    CHECK(!qc_hits_owns(&none, none.base));
    qc_hits_clear_id(&none, none.base);
    qc_hits_clear(&none);
    CHECK(qc_hits_check(&none, NULL));
    CHECK_EQ(journal.count, 0);
    qc_hits_free(&none);
    qc_hits_free(&hits);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 0, QC_HIT_LINE), 0);
    qc_journal_free(&journal);
}

static void cleared_ids_are_new_again(void)
{
    qc_journal journal;
    qc_hits hits;

    qc_journal_init(&journal);
    CHECK_EQ(qc_hits_init(&hits, &journal, 5), 0);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 2, QC_HIT_LEFT), 1);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 2, QC_HIT_RIGHT), 1);
    qc_hits_clear_id(&hits, journal.ids[0]);
    CHECK(!qc_hits_has(&hits, 2, QC_HIT_LEFT) && qc_hits_has(&hits, 2, QC_HIT_RIGHT));
    CHECK_EQ(qc_hits_mark(&hits, &journal, 2, QC_HIT_LEFT), 1);
    CHECK_EQ(journal.count, 3);
    qc_journal_clear(&journal);
    CHECK_EQ(journal.count, 0);
    CHECK_EQ(journal.next_base, 20);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 2, QC_HIT_LEFT), 0);
    qc_hits_clear(&hits);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 2, QC_HIT_LEFT), 1);
    qc_hits_free(&hits);
    qc_journal_free(&journal);
}

static void ids_end_at_32_bits(void)
{
    qc_journal journal;
    qc_hits hits;
    uint32_t base = 77;

    qc_journal_init(&journal);
    CHECK_EQ(qc_journal_reserve_base(&journal, UINT32_MAX, &base), -1);
    CHECK_EQ(qc_journal_reserve_base(&journal, UINT32_MAX / 4 + 1, &base), -1);
    CHECK_EQ(base, 77);
    CHECK_EQ(journal.next_base, 0);
    CHECK_EQ(qc_journal_reserve_base(&journal, UINT32_MAX / 4 - 2, &base), 0);
    CHECK_EQ(base, 0);
    CHECK_EQ(qc_hits_init(&hits, &journal, 3), -1);
    CHECK(hits.bytes == NULL && hits.units == 0);
    CHECK_EQ(qc_mem_bytes(), 0);
    CHECK_EQ(qc_hits_init(&hits, &journal, 2), 0);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 1, QC_HIT_RETURN), 1);
    CHECK_EQ(journal.ids[0], UINT32_MAX - 4);
    CHECK(qc_hits_check(&hits, NULL) && qc_journal_check(&journal, NULL));
    CHECK_EQ(qc_journal_reserve_base(&journal, 1, &base), -1);
    CHECK_EQ(qc_journal_reserve_base(&journal, 0, &base), 0);
    qc_hits_free(&hits);
    qc_journal_free(&journal);
}

static void lost_ids_are_remembered(void)
{
    qc_journal journal;
    qc_hits hits;

    qc_journal_init(&journal);
    qc_mem_fail_after(1);
    CHECK_EQ(qc_hits_init(&hits, &journal, 100), -1);
    CHECK_EQ(journal.next_base, 0);
    CHECK_EQ(qc_hits_init(&hits, &journal, 100), 0);
    qc_mem_fail_after(1);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 0, QC_HIT_LINE), -1);
    CHECK(journal.lost && qc_hits_has(&hits, 0, QC_HIT_LINE));
    CHECK_EQ(journal.count, 0);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 0, QC_HIT_LINE), 0);
    for (uint32_t unit = 1; unit < 65; unit++) {
        CHECK_EQ(qc_hits_mark(&hits, &journal, unit, QC_HIT_LINE), 1);
    }
    qc_mem_fail_after(1);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 65, QC_HIT_LINE), -1);
    CHECK_EQ(journal.count, 64);
    CHECK_EQ(journal.ids[63], 4 * 64);
    CHECK(journal.lost);
    qc_journal_clear(&journal);
    CHECK(!journal.lost);
    qc_hits_free(&hits);
    qc_journal_free(&journal);
}

enum { RECORDS = 8, UNITS = 50 };

/* Marks at random and clears now and then; the model is one flag per id. */
static void random_steps(qc_hits *records, qc_journal *journal, bool *model)
{
    for (int step = 0; step < 2000; step++) {
        uint32_t r = test_below(RECORDS), unit = test_below(UNITS + 5), kind = test_below(4);
        uint32_t id = r * UNITS * 4 + unit * 4 + kind;
        size_t before = journal->count;

        if (unit >= UNITS) {
            CHECK_EQ(qc_hits_mark(&records[r], journal, unit, FLAGS[kind]), 0);
        } else if (test_below(5) == 0) {
            qc_hits_clear_id(&records[r], id);
            model[id] = false;
        } else {
            CHECK_EQ(qc_hits_has(&records[r], unit, FLAGS[kind]), model[id]);
            CHECK_EQ(qc_hits_mark(&records[r], journal, unit, FLAGS[kind]), !model[id]);
            CHECK_EQ(journal->count, before + !model[id]);
            CHECK(model[id] || journal->ids[before] == id);
            model[id] = true;
        }
    }
}

static void agrees_with_a_naive_model(void)
{
    static bool model[RECORDS * UNITS * 4];
    qc_hits records[RECORDS];
    qc_journal journal;

    qc_journal_init(&journal);
    for (int r = 0; r < RECORDS; r++) {
        CHECK_EQ(qc_hits_init(&records[r], &journal, UNITS), 0);
    }
    for (int round = 0; round < 50; round++) {
        random_steps(records, &journal, model);
        CHECK(qc_journal_check(&journal, NULL));
        for (int r = 0; r < RECORDS; r++) {
            CHECK(qc_hits_check(&records[r], NULL));
        }
        if (test_below(3) == 0) {
            /* Re-arm by the journal's slice: every flag in it is unset afterwards. */
            for (size_t i = 0; i < journal.count; i++) {
                qc_hits_clear_id(&records[journal.ids[i] / (4 * UNITS)], journal.ids[i]);
                model[journal.ids[i]] = false;
            }
            qc_journal_clear(&journal);
        }
    }
    for (int r = 0; r < RECORDS; r++) {
        qc_hits_free(&records[r]);
    }
    qc_journal_free(&journal);
}

static void check_finds_damage(void)
{
    qc_journal journal, broken_journal;
    qc_hits hits, broken;
    const char *reason = NULL;

    qc_journal_init(&journal);
    CHECK_EQ(qc_hits_init(&hits, &journal, 5), 0);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 4, QC_HIT_RETURN), 1);
    broken = hits;
    broken.units = 0;
    CHECK(!qc_hits_check(&broken, &reason) && reason != NULL);
    broken = hits;
    broken.base = UINT32_MAX - 3;
    CHECK(!qc_hits_check(&broken, NULL));
    hits.bytes[2] = 16;
    CHECK(!qc_hits_check(&hits, &reason));
    broken_journal = journal;
    broken_journal.count = journal.capacity + 1;
    CHECK(!qc_journal_check(&broken_journal, &reason));
    broken_journal = journal;
    broken_journal.next_base = 19;
    CHECK(!qc_journal_check(&broken_journal, &reason));
    qc_hits_free(&hits);
    qc_journal_free(&journal);
}

static void dump_names_units_and_ids(void)
{
    FILE *out = tmpfile();
    const char *text;
    qc_journal journal;
    qc_hits hits;

    qc_journal_init(&journal);
    CHECK_EQ(qc_hits_init(&hits, &journal, 5), 0);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 4, QC_HIT_RETURN), 1);
    CHECK_EQ(qc_hits_mark(&hits, &journal, 4, QC_HIT_LINE), 1);
    if (!CHECK(out != NULL)) {
        return;
    }
    qc_hits_dump(&hits, out);
    qc_journal_dump(&journal, out);
    text = test_dumped(out);
    CHECK(strstr(text, "[4] line return\n") != NULL);
    CHECK(strstr(text, " 19 16\n") != NULL);
    qc_hits_free(&hits);
    qc_journal_free(&journal);
}

int main(void)
{
    RUN(ids_tell_record_unit_and_kind);
    RUN(units_out_of_range_are_ignored);
    RUN(cleared_ids_are_new_again);
    RUN(ids_end_at_32_bits);
    RUN(lost_ids_are_remembered);
    RUN(agrees_with_a_naive_model);
    RUN(check_finds_damage);
    RUN(dump_names_units_and_ids);
    return test_report();
}
