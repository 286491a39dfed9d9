#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "../core/qc_pack.h"
#include "qc_atlas.h"
#include "qc_flow.h"

enum { FIRST_SPOTS = 8, FIRST_SHEETS = 16 };

qc_atlas *qc_atlas_new(void)
{
    qc_atlas *atlas = qc_calloc(1, sizeof *atlas);
    if (atlas == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    qc_places_init(&atlas->places);
    qc_table_init(&atlas->by_key);
    atlas->files = PyList_New(0);
    atlas->file_numbers = PyDict_New();
    atlas->events = PyList_New(0);
    atlas->event_ids = PyDict_New();
    if (!atlas->files || !atlas->file_numbers || !atlas->events || !atlas->event_ids) {
        qc_atlas_free(atlas);
        return NULL;
    }
    return atlas;
}

static void sheet_free(qc_sheet *sheet)
{
    if (sheet != NULL) {
        Py_XDECREF(sheet->bytecode);
        Py_XDECREF(sheet->linetable);
        Py_XDECREF(sheet->exceptions);
        qc_free(sheet->first, sheet->units * sizeof *sheet->first);
        qc_free(sheet->spots, sheet->capacity * sizeof *sheet->spots);
        qc_free(sheet, sizeof *sheet);
    }
}

void qc_atlas_free(qc_atlas *atlas)
{
    if (atlas == NULL) {
        return;
    }
    for (uint32_t k = 0; k < atlas->sheet_count; k++) {
        sheet_free(atlas->sheets[k]);
    }
    qc_free(atlas->sheets, atlas->sheet_capacity * sizeof *atlas->sheets);
    qc_table_free(&atlas->by_key);
    qc_places_free(&atlas->places);
    Py_XDECREF(atlas->files);
    Py_XDECREF(atlas->file_numbers);
    Py_XDECREF(atlas->events);
    Py_XDECREF(atlas->event_ids);
    qc_free(atlas, sizeof *atlas);
}

/* ------------------------------------------------------------------ files and events */

/* numbers[key], where -1 without an exception means that there is none. */
static int64_t number_of(PyObject *numbers, PyObject *key)
{
    PyObject *number = PyDict_GetItemWithError(numbers, key);
    return number != NULL ? PyLong_AsLongLong(number) : -1;
}

/* Appends `key` to the list, and makes numbers[key] = number. */
static int add_number(PyObject *list, PyObject *numbers, PyObject *key, int64_t number)
{
    Py_ssize_t last = PyList_GET_SIZE(list);
    PyObject *object = PyLong_FromLongLong(number);
    int result = object != NULL ? PyList_Append(list, key) : -1;
    if (result == 0 && (result = PyDict_SetItem(numbers, key, object)) < 0) {
        PyObject *error = qc_error_take();
        (void)PyList_SetSlice(list, last, last + 1, NULL);
        qc_error_restore(error);
    }
    Py_XDECREF(object);
    return result;
}

int64_t qc_atlas_file(qc_atlas *atlas, PyObject *filename)
{
    int64_t number = number_of(atlas->file_numbers, filename);
    if (number >= 0 || PyErr_Occurred()) {
        return number;
    }
    number = PyList_GET_SIZE(atlas->files);
    return add_number(atlas->files, atlas->file_numbers, filename, number) < 0 ? -1 : number;
}

/* A hash of the key's repr, the same in every process. */
static int hash_of_key(PyObject *key, uint64_t *hash)
{
    Py_ssize_t size;
    PyObject *repr = PyObject_Repr(key);
    const char *text = repr != NULL ? PyUnicode_AsUTF8AndSize(repr, &size) : NULL;
    if (text != NULL) {
        *hash = qc_pack_hash(text, (size_t)size, QC_PLACE_EVENT);
    }
    Py_XDECREF(repr);
    return text != NULL ? 0 : -1;
}

int64_t qc_atlas_event(qc_atlas *atlas, PyObject *key)
{
    int64_t id = number_of(atlas->event_ids, key);
    if (id >= 0 || PyErr_Occurred()) {
        return id;
    }
    qc_place place = {.kind = QC_PLACE_EVENT};
    if (hash_of_key(key, &place.hash) < 0) {
        return -1;
    }
    place.a = (int32_t)PyList_GET_SIZE(atlas->events);
    if ((id = qc_places_add(&atlas->places, &place)) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return add_number(atlas->events, atlas->event_ids, key, id) < 0 ? -1 : id;
}

int64_t qc_atlas_way(qc_atlas *atlas, uint32_t kind, uint32_t file, int32_t from, int32_t to)
{
    qc_place place = {.kind = kind, .owner = file, .a = from, .b = to};
    place.hash = qc_places_mix(((uint64_t)(uint32_t)from << 32 | (uint32_t)to) + kind);
    return qc_places_add(&atlas->places, &place);
}

/* ------------------------------------------------------------------ sheets */

qc_codeview qc_sheet_view(const qc_sheet *sheet)
{
    qc_codeview view = {
        .code = (uint8_t *)PyBytes_AS_STRING(sheet->bytecode),
        .units = sheet->units,
        .linetable = (uint8_t *)PyBytes_AS_STRING(sheet->linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(sheet->linetable),
        .exceptions = (uint8_t *)PyBytes_AS_STRING(sheet->exceptions),
        .exceptions_size = (size_t)PyBytes_GET_SIZE(sheet->exceptions),
        .first_line = sheet->first_line,
    };
    return view;
}

static uint64_t hash_of_bytes(PyObject *bytes, uint64_t seed)
{
    return qc_pack_hash(PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes), seed);
}

static qc_sheet *sheet_new(uint32_t file, PyCodeObject *code, PyObject *bytecode)
{
    qc_sheet *sheet = qc_calloc(1, sizeof *sheet);
    if (sheet == NULL) {
        return NULL;
    }
    sheet->file = file;
    sheet->bytecode = Py_NewRef(bytecode);
    sheet->linetable = Py_NewRef(code->co_linetable);
    sheet->exceptions = Py_NewRef(code->co_exceptiontable);
    sheet->first_line = code->co_firstlineno;
    sheet->units = qc_code_units(code);
    sheet->hash = hash_of_bytes(sheet->linetable, (uint64_t)sheet->first_line);
    sheet->first = qc_calloc(sheet->units, sizeof *sheet->first);
    if (sheet->first == NULL) {
        sheet_free(sheet);
        return NULL;
    }
    return sheet;
}

static int grow_sheets(qc_atlas *atlas)
{
    uint32_t capacity = atlas->sheet_capacity ? atlas->sheet_capacity * 2 : FIRST_SHEETS;
    qc_sheet **sheets = qc_realloc(atlas->sheets, atlas->sheet_capacity * sizeof *sheets,
                                   capacity * sizeof *sheets);
    if (sheets == NULL) {
        return -1;
    }
    atlas->sheets = sheets;
    atlas->sheet_capacity = capacity;
    return 0;
}

qc_sheet *qc_atlas_sheet(qc_atlas *atlas, uint32_t file, PyCodeObject *code, PyObject *bytecode)
{
    uint64_t parts[] = {
        file,
        (uint64_t)code->co_firstlineno,
        (uint64_t)PyObject_Hash(code->co_linetable),
        (uint64_t)PyObject_Hash(bytecode),
        (uint64_t)PyObject_Hash(code->co_exceptiontable),
    };
    qc_key key = {qc_pack_hash(parts, sizeof parts, 1), qc_pack_hash(parts, sizeof parts, 2)};
    qc_sheet *sheet = qc_table_find(&atlas->by_key, key);
    if (sheet != NULL) {
        return sheet;
    }
    sheet = sheet_new(file, code, bytecode);
    if (sheet == NULL || (atlas->sheet_count == atlas->sheet_capacity && grow_sheets(atlas) < 0) ||
        qc_table_insert(&atlas->by_key, key, sheet) < 0) {
        sheet_free(sheet);
        PyErr_NoMemory();
        return NULL;
    }
    sheet->number = atlas->sheet_count;
    atlas->sheets[atlas->sheet_count++] = sheet;
    return sheet;
}

/* Where the event of a flag comes from, and how it is switched on again. */
static void set_event(const qc_sheet *sheet, qc_spot *spot)
{
    qc_codeview view = qc_sheet_view(sheet);
    int64_t at = qc_flow_event_unit(&view, spot->unit, spot->flag);
    uint8_t armed = QC_ARM_NOTHING;
    if (at >= 0) {
        armed = spot->flag == QC_HIT_LINE ? qc_opcode_of_line_events()
                                          : qc_opcode_instrumented(view.code[2 * at]);
        armed = armed != 0 ? armed : QC_ARM_WHOLE;
    }
    spot->at = (uint32_t)at;
    spot->armed = armed;
}

qc_spot *qc_atlas_spot_new(qc_atlas *atlas, qc_sheet *sheet, uint32_t unit, unsigned flag)
{
    if (sheet->count == sheet->capacity) {
        uint32_t capacity = sheet->capacity ? sheet->capacity * 2 : FIRST_SPOTS;
        qc_spot *spots =
            qc_realloc(sheet->spots, sheet->capacity * sizeof *spots, capacity * sizeof *spots);
        if (spots == NULL) {
            return NULL;
        }
        sheet->spots = spots;
        sheet->capacity = capacity;
    }
    qc_place place = {
        .kind = QC_PLACE_UNIT,
        .owner = sheet->number,
        .a = (int32_t)unit,
        .b = (int32_t)flag,
        .hash = qc_places_mix(sheet->hash + ((uint64_t)unit << 8 | flag)),
    };
    int64_t id = qc_places_add(&atlas->places, &place);
    if (id < 0) {
        return NULL;
    }
    qc_spot *spot = &sheet->spots[sheet->count++];
    *spot = (qc_spot){.id = (uint32_t)id, .unit = unit, .next = sheet->first[unit]};
    spot->flag = (uint8_t)flag;
    set_event(sheet, spot);
    sheet->first[unit] = sheet->count;
    return spot;
}
