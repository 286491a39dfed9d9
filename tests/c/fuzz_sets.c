/* Random operations, some without memory, on an arc set and a line set, beside naive sets. */
#include "fuzz_input.h"
#include "qc_arcset.h"
#include "qc_lineset.h"
#include "qc_mem.h"

enum { MAX_MODEL = 4096 };

typedef struct model {
    uint64_t items[MAX_MODEL];
    size_t count;
} model;

static bool model_has(const model *m, uint64_t item)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->items[i] == item) {
            return true;
        }
    }
    return false;
}

static void model_take(model *m, uint64_t item, int added)
{
    if (added == 1) {
        m->items[m->count++] = item;
    }
}

/* What adding may return: 0 or 1 by what is known; -1 for a new item when an allocation may fail.
 */
static void require_added(int added, bool known, bool may_fail)
{
    REQUIRE(added == (known ? 0 : 1) || (added == -1 && !known && may_fail));
}

static void step_arcs(fuzz_input *input, qc_arcset *arcs, model *m, bool may_fail)
{
    int32_t from = fuzz_number(input), to = fuzz_number(input);
    uint64_t arc = qc_arc_pack(from, to);
    bool known = model_has(m, arc);
    int added;

    REQUIRE(qc_arc_from(arc) == from && qc_arc_to(arc) == to);
    REQUIRE(qc_arcset_has(arcs, arc) == known);
    added = qc_arcset_add(arcs, arc);
    require_added(added, known, may_fail);
    model_take(m, arc, added);
    REQUIRE(arcs->count == m->count && qc_arcset_has(arcs, arc) == (added >= 0));
}

static void step_lines(fuzz_input *input, qc_lineset *lines, model *m, bool may_fail)
{
    int32_t line = fuzz_number(input);
    bool known = model_has(m, (uint64_t)line), none = line < 0 || line == INT32_MAX;
    int added;

    REQUIRE(qc_lineset_has(lines, line) == known);
    added = qc_lineset_add(lines, line);
    require_added(added, known || none, may_fail);
    model_take(m, (uint64_t)line, added);
    REQUIRE(lines->count == m->count && qc_lineset_has(lines, line) == (added >= 0 && !none));
}

static void require_same(const qc_arcset *arcs, const model *arcs_model, const qc_lineset *lines,
                         const model *lines_model)
{
    REQUIRE(qc_arcset_check(arcs, NULL) && qc_lineset_check(lines, NULL));
    for (size_t i = 0; i < arcs_model->count; i++) {
        REQUIRE(arcs->items[i] == arcs_model->items[i]);
    }
    for (size_t i = 0; i < lines_model->count; i++) {
        REQUIRE((uint64_t)lines->items[i] == lines_model->items[i]);
    }
    REQUIRE(qc_arcset_bytes(arcs) + qc_lineset_bytes(lines) == qc_mem_bytes());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static model arcs_model, lines_model;
    fuzz_input input = {data, size < MAX_MODEL ? size : MAX_MODEL};
    qc_arcset arcs;
    qc_lineset lines;

    arcs_model.count = lines_model.count = 0;
    qc_arcset_init(&arcs);
    qc_lineset_init(&lines);
    while (input.left != 0) {
        uint8_t verb = fuzz_byte(&input);
        bool may_fail = verb % 16 == 15;

        qc_mem_fail_after(may_fail ? 1 + verb / 128 : 0);
        if (verb == 254) {
            qc_arcset_clear(&arcs);
            arcs_model.count = 0;
        } else if (verb == 253) {
            qc_lineset_clear(&lines);
            lines_model.count = 0;
        } else if (verb == 252) {
            require_same(&arcs, &arcs_model, &lines, &lines_model);
        } else if (verb % 32 < 16) {
            step_arcs(&input, &arcs, &arcs_model, may_fail);
        } else {
            step_lines(&input, &lines, &lines_model, may_fail);
        }
    }
    qc_mem_fail_after(0);
    require_same(&arcs, &arcs_model, &lines, &lines_model);
    qc_arcset_free(&arcs);
    qc_lineset_free(&lines);
    REQUIRE(qc_mem_bytes() == 0);
    return 0;
}
