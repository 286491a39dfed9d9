/* Random operations, some without memory, on code records with their journal and table, and on
 * file records, beside naive models. */
#include "fuzz_input.h"
#include "qc_filetab.h"
#include "qc_hits.h"
#include "qc_mem.h"
#include "qc_table.h"

#include <string.h>

enum { RECORDS = 16, UNITS = 8, KEYS = 256 };

typedef struct world {
    qc_journal journal;
    qc_hits records[RECORDS];
    bool hit[RECORDS][UNITS * QC_HIT_KINDS];
    size_t journalled;
    bool lost;
    qc_table table;
    void *values[KEYS];
    uint32_t value_count;
    qc_filetab files;
    uint32_t file_count;
} world;

static void step_mark(world *w, fuzz_input *input, bool may_fail)
{
    uint32_t r = fuzz_byte(input) % RECORDS, unit = fuzz_byte(input) % (UNITS + 1);
    uint32_t kind = fuzz_byte(input) % QC_HIT_KINDS, id = UNITS * QC_HIT_KINDS * r;
    bool exists = unit < w->records[r].units;
    bool known = !exists || w->hit[r][QC_HIT_KINDS * unit + kind];
    int marked = qc_hits_mark(&w->records[r], &w->journal, unit, 1u << kind);

    REQUIRE(marked == !known || (marked == -1 && !known && may_fail));
    REQUIRE(qc_hits_has(&w->records[r], unit, 1u << kind) == exists);
    if (marked == 1) {
        REQUIRE(w->journal.ids[w->journalled] == id + QC_HIT_KINDS * unit + kind);
        w->journalled++;
    }
    if (exists) {
        w->hit[r][QC_HIT_KINDS * unit + kind] = true;
    }
    w->lost = w->lost || marked == -1;
    REQUIRE(w->journal.count == w->journalled && w->journal.lost == w->lost);
}

static void step_clear_id(world *w, fuzz_input *input)
{
    uint32_t id = fuzz_byte(input) * 2u + fuzz_byte(input) % 2u;
    uint32_t owner = id / (UNITS * QC_HIT_KINDS);

    for (uint32_t r = 0; r < RECORDS; r++) {
        REQUIRE(qc_hits_owns(&w->records[r], id) == (r == owner && w->records[r].units != 0));
        qc_hits_clear_id(&w->records[r], id);
    }
    w->hit[owner][id % (UNITS * QC_HIT_KINDS)] = false;
}

static void step_table(world *w, fuzz_input *input, bool may_fail)
{
    uint8_t n = fuzz_byte(input), verb = fuzz_byte(input);
    qc_key key = {(uint64_t)(n % 16) << 60, n / 16};
    void *value = &w->values[verb];
    int added;

    REQUIRE(qc_table_find(&w->table, key) == w->values[n]);
    if (verb % 2 == 0) {
        added = qc_table_insert(&w->table, key, value);
        REQUIRE(added == (w->values[n] == NULL) ||
                (added == -1 && w->values[n] == NULL && may_fail));
        w->values[n] = added == 1 ? value : w->values[n];
        w->value_count += added == 1;
    } else {
        REQUIRE(qc_table_remove(&w->table, key) == w->values[n]);
        w->value_count -= w->values[n] != NULL;
        w->values[n] = NULL;
    }
    REQUIRE(qc_table_count(&w->table) == w->value_count);
    REQUIRE(qc_table_find(&w->table, key) == w->values[n]);
}

static void step_files(world *w, fuzz_input *input, bool may_fail)
{
    uint32_t id = fuzz_byte(input);
    qc_file *file = qc_filetab_get(&w->files, id);

    REQUIRE((file != NULL) == (id < w->file_count));
    if (file != NULL) {
        qc_lineset_add(&file->lines, fuzz_number(input));
        qc_arcset_add(&file->arcs, qc_arc_pack(fuzz_number(input), fuzz_number(input)));
        file->lines_drained = file->lines.count;
        return;
    }
    file = qc_filetab_add(&w->files);
    REQUIRE(file != NULL || may_fail);
    REQUIRE(file == NULL || file->id == w->file_count);
    w->file_count += file != NULL;
}

static void require_sound(const world *w)
{
    uint32_t cursor = 0, seen = 0;
    size_t bytes = qc_journal_bytes(&w->journal) + qc_table_bytes(&w->table);

    REQUIRE(qc_journal_check(&w->journal, NULL) && qc_table_check(&w->table, NULL));
    REQUIRE(qc_filetab_check(&w->files, NULL));
    for (uint32_t r = 0; r < RECORDS; r++) {
        REQUIRE(qc_hits_check(&w->records[r], NULL));
        bytes += qc_hits_bytes(&w->records[r]);
    }
    while (qc_table_next(&w->table, &cursor, NULL, NULL)) {
        seen++;
    }
    REQUIRE(seen == w->value_count);
    REQUIRE(bytes + qc_filetab_bytes(&w->files) == qc_mem_bytes());
}

static void world_init(world *w)
{
    memset(w, 0, sizeof *w);
    qc_journal_init(&w->journal);
    qc_table_init(&w->table);
    qc_filetab_init(&w->files);
    for (uint32_t r = 0; r < RECORDS; r++) {
        REQUIRE(qc_hits_init(&w->records[r], &w->journal, UNITS) == 0);
    }
}

static void world_free(world *w)
{
    for (uint32_t r = 0; r < RECORDS; r++) {
        qc_hits_free(&w->records[r]);
    }
    qc_journal_free(&w->journal);
    qc_table_free(&w->table);
    qc_filetab_free(&w->files);
    REQUIRE(qc_mem_bytes() == 0);
}

static void step_rare(world *w, uint8_t verb)
{
    if (verb % 3 == 0) {
        qc_journal_clear(&w->journal);
        w->journalled = 0;
        w->lost = false;
    } else if (verb % 3 == 1) {
        uint32_t r = verb / 3 % RECORDS;

        qc_hits_clear(&w->records[r]);
        memset(w->hit[r], 0, sizeof w->hit[r]);
        if (verb > 250) {
            qc_hits_free(&w->records[r]);
        }
    } else {
        qc_filetab_clear_hits(&w->files);
        require_sound(w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    fuzz_input input = {data, size};

    world_init(&w);
    while (input.left != 0) {
        uint8_t verb = fuzz_byte(&input);
        bool may_fail = verb % 32 >= 28;

        qc_mem_fail_after(may_fail ? 1 + verb % 2 : 0);
        switch (verb % 4) {
        case 0:
            step_mark(&w, &input, may_fail);
            break;
        case 1:
            step_table(&w, &input, may_fail);
            break;
        case 2:
            step_files(&w, &input, may_fail);
            break;
        default:
            if (verb % 16 == 3) {
                step_rare(&w, verb);
            } else {
                step_clear_id(&w, &input);
            }
        }
    }
    qc_mem_fail_after(0);
    require_sound(&w);
    world_free(&w);
    return 0;
}
