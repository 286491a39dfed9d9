#include "qc_compat_probe.h"

#include "../core/qc_mem.h"
#include "qc_context.h"
#include "qc_probe_layout.h"
#include "qc_probe_patch.h"
#include "qc_probe_room.h"
#include "qc_probe_twin.h"
#include "qc_record.h"

static size_t size_of_place(bool far)
{
    return far ? sizeof(uint32_t) : sizeof(uint16_t);
}

PyCodeObject *qc_twin_free(qc_link *link)
{
    qc_twin *twin = link->twin;
    if (twin == NULL) {
        return NULL;
    }
    PyCodeObject *original = twin->original;
    qc_link *known = original != NULL ? qc_codemap_find(link->map, original) : NULL;
    if (known != NULL && known->replacement == link->code) {
        known->replacement = NULL;
    }
    Py_XDECREF(twin->clean);
    Py_XDECREF(twin->exceptions);
    Py_XDECREF(twin->outs);
    qc_free(twin->places, (twin->units + 1) * size_of_place(twin->far));
    qc_free(twin->probes, twin->probe_count * sizeof(qc_probe));
    qc_free(twin, sizeof *twin);
    return original;
}

#if QC_HAVE_PROBES

/* A code object as bytes; `plain` is its co_code. */
static qc_codeview view_of(PyCodeObject *code, const uint8_t *plain)
{
    return (qc_codeview){
        .code = plain,
        .units = qc_code_units(code),
        .linetable = (uint8_t *)PyBytes_AS_STRING(code->co_linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(code->co_linetable),
        .exceptions = (uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable),
        .exceptions_size = (size_t)PyBytes_GET_SIZE(code->co_exceptiontable),
        .first_line = code->co_firstlineno,
    };
}

/* ------------------------------------------------------------------ making twins */

PyObject *qc_twin_consts(PyObject *model, PyObject *hook)
{
    Py_ssize_t count = PyTuple_GET_SIZE(model);
    PyObject *consts = PyTuple_New(count + 1);
    if (consts != NULL) {
        for (Py_ssize_t k = 0; k < count; k++) {
            PyTuple_SET_ITEM(consts, k, Py_NewRef(PyTuple_GET_ITEM(model, k)));
        }
        PyTuple_SET_ITEM(consts, count, hook); /* borrowed: it is never freed */
        Py_SET_SIZE(consts, count);
        PyObject_GC_UnTrack(consts); /* constants are in no cycle: spare the collector them */
    }
    return consts;
}

/* What co_code shows, in the buffer if that is large enough for a quick look; NULL with
 * MemoryError. */
static const uint8_t *plain_of(PyCodeObject *code, uint8_t *buffer, size_t size)
{
    if (2 * (size_t)qc_code_units(code) <= size && qc_code_peek(code, buffer)) {
        return buffer;
    }
    return qc_code_keep_shown(code) == 0 ? qc_code_shown(code) : NULL;
}

static void fill_twin(qc_twin *twin, PyCodeObject *original, PyCodeObject *code, uint32_t stub)
{
    twin->original = (PyCodeObject *)Py_NewRef(original);
    twin->exceptions = Py_NewRef(original->co_exceptiontable);
    twin->units = qc_code_units(original);
    twin->stub = stub;
    twin->slots = INT16_MAX;
    qc_room_write_stub(qc_code_bytes(code), stub, twin->entry,
                       (uint32_t)PyTuple_GET_SIZE(code->co_consts));
}

PyCodeObject *qc_twin_new(qc_codemap *map, PyCodeObject *code, PyObject *consts)
{
    uint8_t buffer[2048];
    const uint8_t *plain = plain_of(code, buffer, sizeof buffer);
    if (plain == NULL) {
        return NULL;
    }
    qc_codeview view = view_of(code, plain);
    uint32_t hook = (uint32_t)PyTuple_GET_SIZE(consts), stub;
    uint32_t units = qc_room_units(&view, hook, qc_context_is_test(code), &stub);
    qc_twin *twin = units > 0 ? qc_calloc(1, sizeof *twin) : NULL;
    PyCodeObject *result = twin != NULL ? qc_code_copy(code, plain, consts, units) : NULL;
    qc_link *link = result != NULL ? qc_codemap_get(map, result) : NULL;
    if (link == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        qc_free(twin, sizeof *twin);
        Py_XDECREF(result);
        return NULL;
    }
    twin->entry = qc_room_entry(&view);
    fill_twin(twin, code, result, stub);
    link->twin = twin;
    if (map->traced && qc_twin_lay_out_lines(link) < 0) {
        PyErr_Clear(); /* a trace function may see a line too many */
    }
    return result;
}

int qc_twin_show(qc_link *link)
{
    qc_twin *twin = link->twin;
    if (twin->clean != NULL) {
        return 0;
    }
    if (qc_code_keep_shown(twin->original) < 0 ||
        qc_code_show(link->code, Py_NewRef(qc_code_shown_object(twin->original))) < 0) {
        return -1;
    }
    twin->clean = Py_NewRef(qc_code_shown_object(twin->original));
    return 0;
}

/* ------------------------------------------------------------------ waking */

static PyObject *bytes_of(const uint8_t *items, size_t size)
{
    return PyBytes_FromStringAndSize((const char *)items, (Py_ssize_t)size);
}

/* The objects that a layout has changed; NULL: not changed. */
typedef struct new_parts {
    PyObject *clean, *linetable, *exceptions, *outs;
    void *places;
    bool far;
} new_parts;

/* The places of a layout, in as few bytes as they need: half of all code has moved. NULL when
 * memory ran out. */
static void *pack_places(const qc_layout *layout, bool *far)
{
    uint32_t count = layout->place_count;
    *far = layout->places[count - 1] > UINT16_MAX;
    void *places = qc_malloc(count * size_of_place(*far));
    if (places != NULL && *far) {
        memcpy(places, layout->places, count * sizeof(uint32_t));
    }
    if (places != NULL && !*far) {
        const uint32_t *from = layout->places;
        uint16_t *to = places;
        for (uint32_t unit = 0; unit < count; unit++) {
            to[unit] = (uint16_t)from[unit];
        }
    }
    return places;
}

static int make_parts(const qc_layout *layout, new_parts *parts)
{
    memset(parts, 0, sizeof *parts);
    bool good = true;
    if (layout->moved) {
        parts->clean = bytes_of(layout->clean, 2 * (size_t)layout->clean_units);
        parts->linetable = bytes_of(layout->linetable.items, layout->linetable.size);
        parts->exceptions = bytes_of(layout->exceptions.items, layout->exceptions.size);
        parts->places = pack_places(layout, &parts->far);
        good = parts->clean != NULL && parts->linetable != NULL && parts->exceptions != NULL &&
               parts->places != NULL;
    }
    if (good && layout->outs.items != NULL) {
        parts->outs = bytes_of(layout->outs.items, layout->outs.size);
        good = parts->outs != NULL;
    }
    if (!good) {
        Py_XDECREF(parts->clean);
        Py_XDECREF(parts->linetable);
        Py_XDECREF(parts->exceptions);
        qc_free(parts->places, layout->place_count * size_of_place(parts->far));
    }
    return good ? 0 : -1;
}

/* Has the twin's code and tables be those of the layout. Can't fail. */
static void take_layout(qc_link *link, qc_layout *layout, const new_parts *parts)
{
    qc_twin *twin = link->twin;
    PyCodeObject *code = link->code;
    uint32_t from = layout->moved ? 0 : twin->units; /* what is there may be specialised */
    memcpy(qc_code_bytes(code) + 2 * (size_t)from, layout->code + 2 * (size_t)from,
           2 * (size_t)(layout->units - from));
    if (layout->moved) {
        qc_code_quicken(qc_code_bytes(code), layout->clean_units);
        Py_SETREF(twin->clean, parts->clean);
        (void)qc_code_show(code, Py_NewRef(parts->clean)); /* can't fail twice */
        Py_SETREF(code->co_linetable, parts->linetable);
        Py_SETREF(twin->exceptions, parts->exceptions);
        Py_SETREF(code->co_exceptiontable, Py_NewRef(parts->exceptions));
        qc_code_forget_lines(code);
    }
    twin->outs = parts->outs;
    twin->probes = layout->probes;
    twin->probe_count = layout->probe_count;
    layout->probes = NULL;
    twin->places = parts->places;
    twin->far = parts->far;
    for (uint32_t k = 0; k < twin->probe_count; k++) {
        uint8_t kind = twin->probes[k].kind;
        twin->asks_exceptions |= kind == QC_PROBE_CATCH || kind == QC_PROBE_OUT;
    }
    twin->moved = layout->moved;
    twin->awake = true;
}

static int plan_and_lay_out(qc_layout *layout, const qc_codeview *view, const qc_model *as,
                            bool marked, const uint8_t *marks)
{
    qc_plan plan;
    int result = qc_plan_make(&plan, view, as->tells, marked, marks);
    if (result == 0) {
        result = qc_layout_make(layout, &plan, view, as->hook);
        qc_plan_free(&plan);
    }
    return result;
}

/* Plans and lays out, or takes what was found for other code that is the same. 0; 1 if that can't
 * be done in the room that there is; -1: no memory. */
static int lay_out(const qc_link *link, qc_layout *layout)
{
    const qc_twin *twin = link->twin;
    qc_codeview view = view_of(twin->original, qc_code_shown(twin->original));
    qc_record *record = link->record;
    bool marked = record != NULL && record->owner->branch && record->hits.units == view.units;
    qc_model as = {.hook = (uint32_t)PyTuple_GET_SIZE(link->code->co_consts),
                   .tells = qc_context_is_test(twin->original)};
    const qc_model *model = marked ? record->model : NULL;
    int result;
    if (model != NULL && model->hook == as.hook && model->tells == as.tells) {
        result = qc_model_copy(layout, model);
    } else {
        const uint8_t *marks = marked && record->marks ? record->hits.bytes : NULL;
        result = plan_and_lay_out(layout, &view, &as, marked, marks);
    }
    if (result == 0 && marked && model == NULL && record->attached > 1 && !layout->moved) {
        record->model = qc_model_new(layout, as.hook, as.tells); /* it may be NULL */
    }
    if (result == 0 && (layout->units > twin->stub || (layout->moved && twin->settled))) {
        qc_layout_free(layout);
        return 1;
    }
    return result;
}

int qc_twin_wake(qc_link *link)
{
    qc_layout layout;
    new_parts parts;
    if (link->twin->awake) {
        return 0;
    }
    qc_stub_remove(link);
    int result = qc_twin_show(link) == 0 ? lay_out(link, &layout) : -1;
    if (result == 0) {
        if ((result = make_parts(&layout, &parts)) == 0) {
            take_layout(link, &layout, &parts);
        }
        qc_layout_free(&layout);
    }
    if (result < 0 && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    if (result == 0 && link->map->traced && qc_twin_lay_out_lines(link) < 0) {
        PyErr_Clear(); /* a trace function may see a line too many */
    }
    return result;
}

static uint32_t place_at(const qc_twin *twin, uint32_t unit)
{
    return twin->far ? ((const uint32_t *)twin->places)[unit]
                     : ((const uint16_t *)twin->places)[unit];
}

uint32_t qc_twin_place(const qc_twin *twin, uint32_t unit)
{
    return twin->places != NULL && unit < twin->units ? place_at(twin, unit) : unit;
}

uint32_t qc_twin_origin(const qc_twin *twin, uint32_t place)
{
    if (twin->places == NULL) {
        return place;
    }
    uint32_t low = 0, high = twin->units;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (place_at(twin, middle) <= place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t unit = low > 0 ? low - 1 : 0;
    while (unit > 0 && place_at(twin, unit - 1) == place_at(twin, unit)) {
        unit--; /* its caches stand where it stands; to CPython, they may have no line (3.13.3) */
    }
    return unit;
}

/* ------------------------------------------------------------------ what others see */

/* Has co_code's bytes followed by zeros, for all units there are: to set f_lineno, CPython reads
 * that many. */
static int pad_shown(qc_link *link)
{
    if (qc_twin_show(link) < 0) {
        return -1;
    }
    Py_ssize_t shown = PyBytes_GET_SIZE(link->twin->clean);
    Py_ssize_t size = 2 * (Py_ssize_t)qc_code_units(link->code);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return -1;
    }
    memset(PyBytes_AS_STRING(bytes), 0, (size_t)size);
    memcpy(PyBytes_AS_STRING(bytes), PyBytes_AS_STRING(link->twin->clean), (size_t)shown);
    Py_SET_SIZE(bytes, shown);
    Py_SETREF(link->twin->clean, Py_NewRef(bytes));
    return qc_code_show(link->code, bytes);
}

int qc_twin_lay_out_lines(qc_link *link)
{
    PyCodeObject *code = link->code;
    qc_code_forget_lines(code);
    if (pad_shown(link) < 0) {
        return -1;
    }
    size_t size = qc_code_units(code) * sizeof(int32_t);
    int32_t *lines = qc_malloc(size);
    if (lines == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    qc_codeview view = {
        .units = qc_code_units(code),
        .linetable = (uint8_t *)PyBytes_AS_STRING(code->co_linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(code->co_linetable),
        .first_line = code->co_firstlineno,
    };
    qc_lines_of_units(&view, lines);
    int result = qc_code_set_lines(code, lines);
    qc_free(lines, size);
    return result;
}

PyObject *qc_twin_probes(const qc_twin *twin)
{
    PyObject *list = PyList_New(0);
    for (uint32_t k = 0; list != NULL && k < twin->probe_count; k++) {
        const qc_probe *probe = &twin->probes[k];
        PyObject *item = Py_BuildValue("(kki)", (unsigned long)probe->patch,
                                       (unsigned long)probe->trampoline, (int)probe->kind);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

PyObject *qc_twin_adaptive(qc_link *link)
{
    if (qc_twin_show(link) < 0) {
        return NULL;
    }
    const qc_twin *twin = link->twin;
    Py_ssize_t size = PyBytes_GET_SIZE(twin->clean);
    const char *items = (const char *)qc_code_bytes(link->code);
    PyObject *result = PyBytes_FromStringAndSize(items, size);
    uint8_t *bytes = result != NULL ? (uint8_t *)PyBytes_AS_STRING(result) : NULL;
    const uint8_t *clean = qc_code_shown(link->code);
    if (bytes != NULL) {
        memcpy(bytes + 2 * (size_t)twin->entry, twin->saved, 2 * (size_t)twin->stub_units);
    }
    for (uint32_t k = 0; bytes != NULL && k < twin->probe_count; k++) {
        if (twin->probes[k].armed) {
            qc_probe_clean(twin, &twin->probes[k], bytes);
        }
    }
    for (Py_ssize_t unit = 0; bytes != NULL && unit < size / 2; unit++) {
        if (clean[2 * unit] == NOP && bytes[2 * unit] != NOP) {
            bytes[2 * unit] = NOP; /* an island */
            bytes[2 * unit + 1] = 0;
        }
    }
    return result;
}

#endif
