#include "qc_filetab.h"

#include "qc_debug.h"
#include "qc_mem.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

static const size_t BLOCK_BYTES = QC_FILETAB_BLOCK * sizeof(qc_file);

static size_t directory_bytes(const qc_filetab *tab)
{
    return (size_t)tab->block_capacity * sizeof(qc_file *);
}

static void verify(const qc_filetab *tab)
{
#ifdef QC_DEBUG
    const char *reason = NULL;

    if (qc_debug_due(tab->count) && !qc_filetab_check(tab, &reason)) {
        qc_debug_fail("qc_filetab", reason);
    }
#else
    (void)tab;
#endif
}

void qc_filetab_init(qc_filetab *tab)
{
    memset(tab, 0, sizeof *tab);
}

void qc_filetab_free(qc_filetab *tab)
{
    for (uint32_t id = 0; id < tab->count; id++) {
        qc_file *file = qc_filetab_get(tab, id);

        qc_lineset_free(&file->lines);
        qc_arcset_free(&file->arcs);
    }
    for (uint32_t block = 0; block < tab->block_count; block++) {
        qc_free(tab->blocks[block], BLOCK_BYTES);
    }
    qc_free(tab->blocks, directory_bytes(tab));
    qc_filetab_init(tab);
}

/* Makes room for one more block in the directory. */
static int grow_directory(qc_filetab *tab)
{
    uint32_t capacity = tab->block_capacity != 0 ? tab->block_capacity * 2 : FIRST_CAPACITY;
    qc_file **blocks;

    if (capacity > UINT32_MAX / QC_FILETAB_BLOCK) {
        return -1;
    }
    blocks = qc_realloc(tab->blocks, directory_bytes(tab), capacity * sizeof *blocks);
    if (blocks == NULL) {
        return -1;
    }
    tab->blocks = blocks;
    tab->block_capacity = capacity;
    return 0;
}

static int add_block(qc_filetab *tab)
{
    qc_file *block;

    if (tab->block_count == tab->block_capacity && grow_directory(tab) < 0) {
        return -1;
    }
    block = qc_malloc(BLOCK_BYTES);
    if (block == NULL) {
        return -1;
    }
    tab->blocks[tab->block_count++] = block;
    return 0;
}

qc_file *qc_filetab_add(qc_filetab *tab)
{
    qc_file *file;

    if (tab->count / QC_FILETAB_BLOCK == tab->block_count && add_block(tab) < 0) {
        return NULL;
    }
    file = qc_filetab_get(tab, tab->count++);
    *file = (qc_file){.id = tab->count - 1};
    qc_lineset_init(&file->lines);
    qc_arcset_init(&file->arcs);
    verify(tab);
    return file;
}

void qc_filetab_clear_hits(qc_filetab *tab)
{
    for (uint32_t id = 0; id < tab->count; id++) {
        qc_file *file = qc_filetab_get(tab, id);

        qc_lineset_clear(&file->lines);
        qc_arcset_clear(&file->arcs);
        file->lines_drained = 0;
        file->arcs_drained = 0;
    }
    verify(tab);
}

size_t qc_filetab_bytes(const qc_filetab *tab)
{
    size_t bytes = directory_bytes(tab) + tab->block_count * BLOCK_BYTES;

    for (uint32_t id = 0; id < tab->count; id++) {
        const qc_file *file = qc_filetab_get(tab, id);

        bytes += qc_lineset_bytes(&file->lines) + qc_arcset_bytes(&file->arcs);
    }
    return bytes;
}

static bool check_file(const qc_file *file, uint32_t id, const char **reason)
{
    if (file->id != id) {
        return qc_debug_broken(reason, "a file's id is not its place");
    }
    if (file->lines_drained > file->lines.count || file->arcs_drained > file->arcs.count) {
        return qc_debug_broken(reason, "a drained mark is above the count");
    }
    return qc_lineset_check(&file->lines, reason) && qc_arcset_check(&file->arcs, reason);
}

bool qc_filetab_check(const qc_filetab *tab, const char **reason)
{
    if (tab->block_count > tab->block_capacity ||
        (tab->blocks == NULL) != (tab->block_capacity == 0)) {
        return qc_debug_broken(reason, "block count, capacity and blocks don't go together");
    }
    if (tab->count > (uint64_t)tab->block_count * QC_FILETAB_BLOCK) {
        return qc_debug_broken(reason, "count above capacity");
    }
    for (uint32_t id = 0; id < tab->count; id++) {
        if (!check_file(qc_filetab_get(tab, id), id, reason)) {
            return false;
        }
    }
    return true;
}

void qc_filetab_dump(const qc_filetab *tab, FILE *out)
{
    fprintf(out, "filetab: %" PRIu32 " files in %" PRIu32 " blocks\n", tab->count,
            tab->block_count);
    for (uint32_t id = 0; id < tab->count; id++) {
        const qc_file *file = qc_filetab_get(tab, id);

        fprintf(out, "file %" PRIu32 ": drained %" PRIu32 " lines, %" PRIu32 " arcs\n", id,
                file->lines_drained, file->arcs_drained);
        qc_lineset_dump(&file->lines, out);
        qc_arcset_dump(&file->arcs, out);
    }
}
