/*
 * Every allocation of a scenario over all modules fails once. Each step is tried again after it
 * failed: a failure must change nothing, so that in the end all is as if there had been none.
 */
#include "qc_filetab.h"
#include "qc_hits.h"
#include "qc_pack.h"
#include "qc_table.h"
#include "qc_test.h"

enum { FILES = 40, RECORDS = 20, UNITS = 30 };

typedef struct world {
    qc_filetab files;
    qc_journal journal;
    qc_table table;
    qc_hits *records[RECORDS];
    uint32_t record_count;
    unsigned failures; /* steps that failed */
    bool may_lose;     /* the journal may lose ids */
} world;

static void world_init(world *w)
{
    *w = (world){.failures = 0};
    qc_filetab_init(&w->files);
    qc_journal_init(&w->journal);
    qc_table_init(&w->table);
}

static void world_free(world *w)
{
    for (uint32_t i = 0; i < w->record_count; i++) {
        qc_hits_free(w->records[i]);
        qc_free(w->records[i], sizeof(qc_hits));
    }
    qc_table_free(&w->table);
    qc_journal_free(&w->journal);
    qc_filetab_free(&w->files);
}

/* A number for all that the world holds; capacities don't count. */
static uint64_t world_hash(const world *w)
{
    uint64_t hash = w->files.count;

    for (uint32_t id = 0; id < w->files.count; id++) {
        const qc_file *file = qc_filetab_get(&w->files, id);
        const qc_lineset *lines = &file->lines;

        hash = qc_pack_hash(lines->items, lines->count * sizeof *lines->items, hash);
        hash = qc_pack_hash(file->arcs.items, file->arcs.count * sizeof(uint64_t), hash);
    }
    for (uint32_t i = 0; i < w->record_count; i++) {
        hash = qc_pack_hash(w->records[i]->bytes, w->records[i]->units, hash);
        hash += qc_table_find(&w->table, (qc_key){i, i}) == w->records[i];
    }
    hash = qc_pack_hash(w->journal.ids, w->journal.count * sizeof(uint32_t), hash);
    return hash + w->table.count + w->journal.next_base + w->journal.lost;
}

static bool world_check(const world *w, const char **reason)
{
    bool good = qc_filetab_check(&w->files, reason) && qc_journal_check(&w->journal, reason) &&
                qc_table_check(&w->table, reason);

    for (uint32_t i = 0; i < w->record_count; i++) {
        good = good && qc_hits_check(w->records[i], reason);
    }
    return good;
}

typedef int (*step)(world *w, uint32_t i);

static int add_file(world *w, uint32_t i)
{
    (void)i;
    return qc_filetab_add(&w->files) != NULL ? 1 : -1;
}

static int add_line(world *w, uint32_t i)
{
    qc_file *file = qc_filetab_get(&w->files, i % 3);
    /* Ordinary lines, some that make the bitmap grow, some sparse ones. */
    int32_t line = i % 50 == 49 ? (int32_t)(i * 7000000) : (int32_t)(1 + i * (i % 7));

    return qc_lineset_add(&file->lines, line);
}

static int add_arc(world *w, uint32_t i)
{
    return qc_arcset_add(&qc_filetab_get(&w->files, i % 3)->arcs, qc_arc_pack(-1, (int32_t)i));
}

static int add_record(world *w, uint32_t i)
{
    qc_hits *hits = qc_malloc(sizeof *hits);

    if (hits == NULL || qc_hits_init(hits, &w->journal, UNITS) < 0) {
        qc_free(hits, sizeof *hits);
        return -1;
    }
    if (qc_table_insert(&w->table, (qc_key){i, i}, hits) < 0) {
        w->journal.next_base = hits->base; /* ids aren't handed back; here, to compare worlds */
        qc_hits_free(hits);
        qc_free(hits, sizeof *hits);
        return -1;
    }
    w->records[w->record_count++] = hits;
    return 1;
}

static int mark_hit(world *w, uint32_t i)
{
    return qc_hits_mark(w->records[i % RECORDS], &w->journal, i / RECORDS, QC_HIT_LINE);
}

static void run_steps(world *w, step run, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t before = world_hash(w);
        const char *reason = NULL;

        if (run(w, i) >= 0) {
            continue;
        }
        w->failures++;
        if (!CHECK(world_check(w, &reason))) {
            printf("    %s\n", reason);
        }
        if (run == mark_hit) {
            /* The one failure that changes something: the hit stays, its id is lost. */
            CHECK(w->journal.lost && w->may_lose);
            CHECK_EQ(run(w, i), 0);
        } else {
            CHECK_EQ(world_hash(w), before);
            CHECK(run(w, i) >= 0);
        }
    }
}

static void run_scenario(world *w)
{
    run_steps(w, add_file, FILES);
    run_steps(w, add_line, 300);
    run_steps(w, add_arc, 300);
    run_steps(w, add_record, RECORDS);
    w->may_lose = true;
    run_steps(w, mark_hit, RECORDS * UNITS);
}

static void each_allocation_fails_once(void)
{
    uint64_t expected;
    unsigned failures;
    long n = 0;
    world w;

    world_init(&w);
    run_scenario(&w);
    expected = world_hash(&w);
    CHECK_EQ(w.failures, 0);
    world_free(&w);
    CHECK_EQ(qc_mem_bytes(), 0);
    do {
        world_init(&w);
        qc_mem_fail_after(++n);
        run_scenario(&w);
        qc_mem_fail_after(0);
        failures = w.failures;
        CHECK(failures <= 1);
        CHECK(w.journal.lost || world_hash(&w) == expected);
        CHECK(world_check(&w, NULL));
        world_free(&w);
        CHECK_EQ(qc_mem_bytes(), 0);
    } while (failures != 0);
    CHECK(n > 60);
    printf("%ld allocations failed, one at a time\n", n - 1);
}

/* No memory at all from some moment on: what is there can still be read, cleared and freed. */
static void clearing_and_freeing_need_no_memory(void)
{
    static int32_t lines[300];
    world w;
    qc_file *file;

    world_init(&w);
    run_scenario(&w);
    file = qc_filetab_get(&w.files, 1);
    memcpy(lines, file->lines.items, file->lines.count * sizeof *lines);
    qc_mem_fail_after(1);
    qc_pack_sort_lines(lines, file->lines.count);
    qc_filetab_clear_hits(&w.files);
    qc_journal_clear(&w.journal);
    for (uint32_t i = 0; i < RECORDS; i++) {
        CHECK(qc_table_remove(&w.table, (qc_key){i, i}) == w.records[i]);
    }
    CHECK(world_check(&w, NULL));
    world_free(&w);
    CHECK(qc_malloc(1) == NULL);
}

int main(void)
{
    RUN(each_allocation_fails_once);
    RUN(clearing_and_freeing_need_no_memory);
    return test_report();
}
