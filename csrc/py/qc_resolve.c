#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_atlas.h"
#include "qc_flow.h"

/* Ids being turned into lines and arcs: the hits of each sheet, then what they mean in each file.
 */
typedef struct resolution {
    const qc_atlas *atlas;
    bool branch;
    uint8_t **hits;   /* by sheet: a byte for each unit; NULL without hits */
    uint8_t **known;  /* the same of all that is known to have run */
    qc_filetab files; /* by file of the atlas */
} resolution;

static void free_bytes(const qc_atlas *atlas, uint8_t **bytes)
{
    for (uint32_t k = 0; bytes != NULL && k < atlas->sheet_count; k++) {
        qc_free(bytes[k], atlas->sheets[k]->units);
    }
    qc_free(bytes, atlas->sheet_count * sizeof *bytes);
}

static void release(resolution *r)
{
    free_bytes(r->atlas, r->hits);
    free_bytes(r->atlas, r->known);
    qc_filetab_free(&r->files);
}

static int set_hit(const resolution *r, uint8_t **bytes, const qc_place *place)
{
    uint32_t number = place->owner;
    if (bytes[number] == NULL &&
        (bytes[number] = qc_calloc(r->atlas->sheets[number]->units, 1)) == NULL) {
        return -1;
    }
    bytes[number][place->a] |= (uint8_t)place->b;
    return 0;
}

/* Sorts one id in. */
static int add_id(resolution *r, uint32_t id)
{
    const qc_place *place = qc_places_get(&r->atlas->places, id);
    if (place->kind == QC_PLACE_EVENT) {
        return 0;
    }
    if (place->kind == QC_PLACE_UNIT) {
        return set_hit(r, r->hits, place) < 0 || set_hit(r, r->known, place) < 0 ? -1 : 0;
    }
    qc_file *file = qc_filetab_get(&r->files, place->owner);
    int added = place->kind == QC_PLACE_LINE
                    ? qc_lineset_add(&file->lines, place->a)
                    : qc_arcset_add(&file->arcs, qc_arc_pack(place->a, place->b));
    return added < 0 ? -1 : 0;
}

/* What the hits of one sheet mean. */
static int add_sheet(resolution *r, const qc_sheet *sheet)
{
    qc_codeview view = qc_sheet_view(sheet);
    uint8_t *flags = r->hits[sheet->number];
    qc_hits known = {.bytes = r->known[sheet->number], .units = sheet->units};
    qc_file *file = qc_filetab_get(&r->files, sheet->file);
    if (!r->branch) {
        qc_hits hits = {.bytes = flags, .units = sheet->units};
        return qc_flow_lines(&view, &hits, file);
    }
    return qc_flow_mark(&view, &known) < 0 ? -1 : qc_flow_arcs_of(&view, &known, flags, file);
}

static int prepare(resolution *r)
{
    Py_ssize_t files = PyList_GET_SIZE(r->atlas->files);
    r->hits = qc_calloc(r->atlas->sheet_count, sizeof *r->hits);
    r->known = qc_calloc(r->atlas->sheet_count, sizeof *r->known);
    if (r->hits == NULL || r->known == NULL) {
        return -1;
    }
    for (Py_ssize_t k = 0; k < files; k++) {
        if (qc_filetab_add(&r->files) == NULL) {
            return -1;
        }
    }
    return 0;
}

static int gather(resolution *r, const qc_ids *ids, const qc_ids *known)
{
    if (prepare(r) < 0) {
        return -1;
    }
    for (size_t k = 0; k < ids->count; k++) {
        if (add_id(r, ids->items[k]) < 0) {
            return -1;
        }
    }
    for (size_t k = 0; k < known->count; k++) {
        const qc_place *place = qc_places_get(&r->atlas->places, known->items[k]);
        if (place->kind == QC_PLACE_UNIT && set_hit(r, r->known, place) < 0) {
            return -1;
        }
    }
    for (uint32_t k = 0; k < r->atlas->sheet_count; k++) {
        if (r->hits[k] != NULL && add_sheet(r, r->atlas->sheets[k]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Adds a tuple to a set, and drops it. */
static int add_tuple(PyObject *set, PyObject *tuple)
{
    int result = tuple != NULL ? PySet_Add(set, tuple) : -1;
    Py_XDECREF(tuple);
    return result;
}

static int tell_arcs(PyObject *set, PyObject *name, const qc_file *file)
{
    for (uint32_t k = 0; k < file->arcs.count; k++) {
        uint64_t arc = file->arcs.items[k];
        if (add_tuple(set, Py_BuildValue("(Oii)", name, qc_arc_from(arc), qc_arc_to(arc))) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Every line at an end of an arc was executed, as coverage.py has it. */
static int tell_lines(PyObject *set, PyObject *name, const qc_file *file)
{
    for (uint32_t k = 0; k < file->lines.count; k++) {
        if (add_tuple(set, Py_BuildValue("(Oi)", name, file->lines.items[k])) < 0) {
            return -1;
        }
    }
    for (uint32_t k = 0; k < 2 * file->arcs.count; k++) {
        uint64_t arc = file->arcs.items[k / 2];
        int32_t line = k % 2 ? qc_arc_to(arc) : qc_arc_from(arc);
        if (line > 0 && add_tuple(set, Py_BuildValue("(Oi)", name, line)) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *qc_atlas_resolve(const qc_atlas *atlas, qc_ids ids, qc_ids known, bool branch, bool arcs)
{
    resolution r = {.atlas = atlas, .branch = branch};
    PyObject *set = PySet_New(NULL);
    int result = set != NULL ? 0 : -1;
    qc_filetab_init(&r.files);
    if (result == 0 && (result = gather(&r, &ids, &known)) < 0) {
        PyErr_NoMemory();
    }
    for (uint32_t k = 0; result == 0 && k < qc_filetab_count(&r.files); k++) {
        PyObject *name = PyList_GET_ITEM(atlas->files, k);
        const qc_file *file = qc_filetab_get(&r.files, k);
        result = arcs ? tell_arcs(set, name, file) : tell_lines(set, name, file);
    }
    release(&r);
    if (result < 0) {
        Py_CLEAR(set);
    }
    return set;
}

/* ------------------------------------------------------------------ locations */

/* What a flag of a unit is called. */
static const char *kind_of(const qc_sheet *sheet, uint32_t unit, unsigned flag)
{
    uint8_t opcode = (uint8_t)PyBytes_AS_STRING(sheet->bytecode)[2 * unit];
    switch (flag) {
    case QC_HIT_LINE:
        return "line";
    case QC_HIT_LEFT:
    case QC_HIT_RIGHT:
        return "branch";
    case QC_HIT_RETURN:
        return "return";
    case QC_HIT_PASSED:
        return qc_opcode_is_resume(opcode)        ? "resume"
               : qc_opcode_has_jump_event(opcode) ? "jump"
                                                  : "exception";
    default:
        return "exception";
    }
}

static PyObject *location_of_unit(const qc_atlas *atlas, const qc_place *place)
{
    const qc_sheet *sheet = atlas->sheets[place->owner];
    PyObject *name = PyList_GET_ITEM(atlas->files, sheet->file);
    qc_codeview view = qc_sheet_view(sheet);
    uint32_t unit = (uint32_t)place->a;
    unsigned flag = (unsigned)place->b;
    qc_arcset arcs;
    PyObject *result = NULL;
    int32_t *lines = qc_malloc(view.units * sizeof *lines);
    qc_arcset_init(&arcs);
    if (lines == NULL || (flag != QC_HIT_LINE && qc_flow_place(&view, unit, flag, &arcs) < 0)) {
        PyErr_NoMemory();
    } else {
        qc_lines_of_units(&view, lines);
        PyObject *to = arcs.count ? PyLong_FromLong(qc_arc_to(arcs.items[0])) : Py_NewRef(Py_None);
        if (to != NULL) {
            const char *kind = kind_of(sheet, unit, flag);
            result = Py_BuildValue("(OiNsO)", name, lines[unit], to, kind, Py_None);
        }
    }
    qc_arcset_free(&arcs);
    qc_free(lines, view.units * sizeof *lines);
    return result;
}

PyObject *qc_atlas_location(const qc_atlas *atlas, uint32_t id)
{
    const qc_place *place = qc_places_get(&atlas->places, id);
    switch (place->kind) {
    case QC_PLACE_UNIT:
        return location_of_unit(atlas, place);
    case QC_PLACE_LINE:
        return Py_BuildValue("(OiOsO)", PyList_GET_ITEM(atlas->files, place->owner), place->a,
                             Py_None, "line", Py_None);
    case QC_PLACE_ARC:
        return Py_BuildValue("(OiisO)", PyList_GET_ITEM(atlas->files, place->owner), place->a,
                             place->b, "arc", Py_None);
    default:
        return Py_BuildValue("(siOsO)", "", 0, Py_None, "event",
                             PyList_GET_ITEM(atlas->events, place->a));
    }
}
