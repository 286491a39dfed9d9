#include "qc_filetab.h"
#include "qc_test.h"

static void ids_are_dense_and_addresses_stable(void)
{
    enum { N = 1000 };
    static qc_file *files[N];
    qc_filetab tab;

    qc_filetab_init(&tab);
    CHECK(qc_filetab_get(&tab, 0) == NULL);
    for (uint32_t id = 0; id < N; id++) {
        CHECK_EQ(qc_filetab_count(&tab), id);
        files[id] = qc_filetab_add(&tab);
        if (CHECK(files[id] != NULL)) {
            CHECK_EQ(files[id]->id, id);
            CHECK_EQ(files[id]->lines.count + files[id]->arcs.count, 0);
        }
    }
    for (uint32_t id = 0; id < N; id++) {
        CHECK(qc_filetab_get(&tab, id) == files[id]);
    }
    CHECK(qc_filetab_get(&tab, N) == NULL);
    CHECK(qc_filetab_get(&tab, UINT32_MAX) == NULL);
    CHECK(qc_filetab_check(&tab, NULL));
    qc_filetab_free(&tab);
    qc_filetab_free(&tab);
}

static void fill(qc_filetab *tab, uint32_t files)
{
    for (uint32_t id = 0; id < files; id++) {
        qc_file *file = qc_filetab_add(tab);

        for (int32_t line = 1; line <= 20; line++) {
            CHECK_EQ(qc_lineset_add(&file->lines, line), 1);
            CHECK_EQ(qc_arcset_add(&file->arcs, qc_arc_pack(-1, line)), 1);
        }
        file->lines_drained = 7;
        file->arcs_drained = 20;
    }
}

static void clear_hits_keeps_records(void)
{
    qc_filetab tab;
    size_t bytes;

    qc_filetab_init(&tab);
    qc_filetab_clear_hits(&tab);
    fill(&tab, 70);
    bytes = qc_mem_bytes();
    CHECK_EQ(qc_filetab_bytes(&tab), bytes);
    qc_filetab_clear_hits(&tab);
    CHECK_EQ(qc_filetab_count(&tab), 70);
    CHECK_EQ(qc_mem_bytes(), bytes);
    for (uint32_t id = 0; id < 70; id++) {
        qc_file *file = qc_filetab_get(&tab, id);

        CHECK_EQ(file->id, id);
        CHECK_EQ(file->lines.count + file->arcs.count, 0);
        CHECK_EQ(file->lines_drained + file->arcs_drained, 0);
        CHECK(!qc_lineset_has(&file->lines, 5));
    }
    CHECK(qc_filetab_check(&tab, NULL));
    qc_filetab_free(&tab);
}

static void failure_changes_nothing(void)
{
    /* The first block, a further block, a further block and a larger directory. */
    static const uint32_t full[] = {0, QC_FILETAB_BLOCK, 8 * QC_FILETAB_BLOCK};

    for (size_t i = 0; i < sizeof full / sizeof *full; i++) {
        long n = 0;
        bool failed;

        do {
            qc_filetab tab;

            qc_filetab_init(&tab);
            fill(&tab, full[i]);
            qc_mem_fail_after(++n);
            failed = qc_filetab_add(&tab) == NULL;
            qc_mem_fail_after(0);
            CHECK_EQ(qc_filetab_count(&tab), full[i] + !failed);
            CHECK(qc_filetab_check(&tab, NULL));
            CHECK(qc_filetab_add(&tab) != NULL);
            CHECK_EQ(qc_filetab_count(&tab), full[i] + 1 + !failed);
            CHECK_EQ(qc_filetab_bytes(&tab), qc_mem_bytes());
            qc_filetab_free(&tab);
        } while (failed);
        CHECK(n > 1);
    }
}

static void check_finds_damage(void)
{
    qc_filetab tab, broken;
    const char *reason = NULL;
    qc_file *file;

    qc_filetab_init(&tab);
    fill(&tab, 3);
    broken = tab;
    broken.count = 33;
    CHECK(!qc_filetab_check(&broken, &reason) && reason != NULL);
    broken = tab;
    broken.block_count = 9;
    CHECK(!qc_filetab_check(&broken, NULL));
    file = qc_filetab_get(&tab, 1);
    file->id = 2;
    CHECK(!qc_filetab_check(&tab, &reason));
    file->id = 1;
    file->lines_drained = 21;
    CHECK(!qc_filetab_check(&tab, &reason));
    file->lines_drained = 0;
    file->arcs_drained = 21;
    CHECK(!qc_filetab_check(&tab, &reason));
    file->arcs_drained = 20;
    file->lines.count--;
    CHECK(!qc_filetab_check(&tab, &reason));
    file->lines.count++;
    CHECK(qc_filetab_check(&tab, &reason));
    qc_filetab_free(&tab);
}

static void dump_names_each_file(void)
{
    FILE *out = tmpfile();
    const char *text;
    qc_filetab tab;

    qc_filetab_init(&tab);
    fill(&tab, 2);
    if (!CHECK(out != NULL)) {
        return;
    }
    qc_filetab_dump(&tab, out);
    text = test_dumped(out);
    CHECK(strstr(text, "2 files") != NULL);
    CHECK(strstr(text, "file 1: drained 7 lines, 20 arcs") != NULL);
    qc_filetab_free(&tab);
}

int main(void)
{
    RUN(ids_are_dense_and_addresses_stable);
    RUN(clear_hits_keeps_records);
    RUN(failure_changes_nothing);
    RUN(check_finds_damage);
    RUN(dump_names_each_file);
    return test_report();
}
