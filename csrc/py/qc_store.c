#include "qc_compat.h"

#include "qc_pack.h"
#include "qc_store.h"

qc_file *qc_store_file(qc_store *store, PyObject *source_filename)
{
    PyObject *id = PyDict_GetItemWithError(store->ids, source_filename);
    if (id != NULL) {
        return qc_filetab_get(&store->files, (uint32_t)PyLong_AsUnsignedLong(id));
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    if ((id = PyLong_FromUnsignedLong(qc_filetab_count(&store->files))) == NULL) {
        return NULL;
    }
    qc_file *file = NULL;
    if (PyList_Append(store->names, source_filename) == 0) {
        if (PyDict_SetItem(store->ids, source_filename, id) == 0) {
            file = qc_filetab_add(&store->files);
            if (file == NULL) {
                PyErr_NoMemory();
                (void)PyDict_DelItem(store->ids, source_filename);
            }
        }
        if (file == NULL) {
            Py_ssize_t last = PyList_GET_SIZE(store->names) - 1;
            (void)PyList_SetSlice(store->names, last, last + 1, NULL);
        }
    }
    Py_DECREF(id);
    return file;
}

void qc_store_latch(qc_store *store)
{
    PyObject *error = qc_error_take();
    bool doubt =
        store->error != NULL && Py_IS_TYPE(store->error, (PyTypeObject *)PyExc_RuntimeWarning);
    if (store->error == NULL ||
        (doubt && !PyErr_GivenExceptionMatches(error, PyExc_RuntimeWarning))) {
        Py_XSETREF(store->error, error);
    } else {
        Py_XDECREF(error);
    }
}

void qc_store_doubt(qc_store *store, const char *format, ...)
{
    PyObject *error = qc_error_take();
    va_list values;
    va_start(values, format);
    PyObject *text = PyUnicode_FromFormatV(format, values);
    va_end(values);
    if (text != NULL) {
        PyErr_SetObject(PyExc_RuntimeWarning, text);
        Py_DECREF(text);
    }
    qc_store_latch(store);
    if (error != NULL) {
        qc_error_restore(error);
    }
}

/* ------------------------------------------------------------------ draining */

static PyObject *lines_list(const qc_file *file)
{
    uint32_t from = file->lines_drained;
    PyObject *list = PyList_New(file->lines.count - from);
    for (uint32_t k = from; list != NULL && k < file->lines.count; k++) {
        PyObject *line = PyLong_FromLong(file->lines.items[k]);
        if (line == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, k - from, line);
    }
    return list;
}

static PyObject *arc_tuple(uint64_t arc)
{
    PyObject *tuple = PyTuple_New(2);
    PyObject *from = PyLong_FromLong(qc_arc_from(arc));
    PyObject *to = PyLong_FromLong(qc_arc_to(arc));
    if (tuple == NULL || from == NULL || to == NULL) {
        Py_XDECREF(tuple);
        Py_XDECREF(from);
        Py_XDECREF(to);
        return NULL;
    }
    PyTuple_SET_ITEM(tuple, 0, from);
    PyTuple_SET_ITEM(tuple, 1, to);
    return tuple;
}

static PyObject *arcs_list(const qc_file *file)
{
    uint32_t from = file->arcs_drained;
    PyObject *list = PyList_New(file->arcs.count - from);
    for (uint32_t k = from; list != NULL && k < file->arcs.count; k++) {
        PyObject *tuple = arc_tuple(file->arcs.items[k]);
        if (tuple == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, k - from, tuple);
    }
    return list;
}

static PyObject *packed_lines(const qc_file *file)
{
    const int32_t *first = file->lines.items + file->lines_drained;
    size_t count = file->lines.count - file->lines_drained;
    return PyBytes_FromStringAndSize((const char *)first, (Py_ssize_t)(count * sizeof *first));
}

/* In order, which SQLite takes quicker. */
static PyObject *packed_arcs(const qc_file *file)
{
    _Static_assert(offsetof(PyBytesObject, ob_sval) % sizeof(uint64_t) == 0, "arcs are aligned");
    const uint64_t *first = file->arcs.items + file->arcs_drained;
    size_t count = file->arcs.count - file->arcs_drained;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * sizeof(int32_t[2])));
    if (bytes == NULL || count == 0) {
        return bytes;
    }
    uint64_t *sorted = (uint64_t *)(void *)PyBytes_AS_STRING(bytes);
    memcpy(sorted, first, count * sizeof *first);
    qc_pack_sort_arcs(sorted, count);
    for (size_t k = 0; k < count; k++) {
        int32_t arc[] = {qc_arc_from(sorted[k]), qc_arc_to(sorted[k])};
        memcpy(&sorted[k], arc, sizeof arc);
    }
    return bytes;
}

/* How many lines or arcs were not drained. */
static uint32_t fresh_hits(const qc_store *store, const qc_file *file)
{
    return store->branch ? file->arcs.count - file->arcs_drained
                         : file->lines.count - file->lines_drained;
}

static int drain_file(qc_store *store, qc_file *file, bool packed, PyObject *result)
{
    if (fresh_hits(store, file) == 0) {
        return 0;
    }
    PyObject *hits = packed ? store->branch ? packed_arcs(file) : packed_lines(file)
                            : (store->branch ? arcs_list(file) : lines_list(file));
    if (hits == NULL) {
        return -1;
    }
    PyObject *name = PyList_GET_ITEM(store->names, file->id);
    int failed = PyDict_SetItem(result, name, hits);
    Py_DECREF(hits);
    return failed;
}

/* How many lines or arcs lines_list() and the like have put into an object. */
static uint32_t hits_in(const qc_store *store, PyObject *hits)
{
    if (PyList_Check(hits)) {
        return (uint32_t)PyList_GET_SIZE(hits);
    }
    return (uint32_t)((size_t)PyBytes_GET_SIZE(hits) /
                      (store->branch ? sizeof(int32_t[2]) : sizeof(int32_t)));
}

/* Marks as drained what `result` holds; hits may have come since, from code that gc ran. */
static void mark_drained(qc_store *store, PyObject *result)
{
    uint32_t count = qc_filetab_count(&store->files);
    for (uint32_t id = 0; id < count; id++) {
        qc_file *file = qc_filetab_get(&store->files, id);
        if (fresh_hits(store, file) == 0) {
            continue;
        }
        PyObject *hits = PyDict_GetItemWithError(result, PyList_GET_ITEM(store->names, id));
        if (hits != NULL) {
            uint32_t *drained = store->branch ? &file->arcs_drained : &file->lines_drained;
            *drained += hits_in(store, hits);
        }
    }
}

/* What was not drained yet, as a dict; NULL with an exception set, and nothing is lost. */
static PyObject *drain(qc_store *store, bool packed)
{
    PyObject *result = PyDict_New();
    if (result == NULL) {
        return NULL;
    }
    if (qc_records_drain(&store->records) < 0) {
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    uint32_t count = qc_filetab_count(&store->files);
    for (uint32_t id = 0; id < count; id++) {
        if (drain_file(store, qc_filetab_get(&store->files, id), packed, result) < 0) {
            Py_DECREF(result);
            return NULL;
        }
    }
    mark_drained(store, result);
    return result;
}

PyDoc_STRVAR(drain_doc,
             "drain(packed=False)\n--\n\n"
             "Return what was recorded since the last drain, as {source file name: lines}, or\n"
             "{source file name: arcs} with branches. Files with nothing new are left out.\n\n"
             "Lines and arcs are lists of numbers and of pairs; packed, they are bytes, one or\n"
             "two C ints each, which take little memory and are no garbage collector's business;\n"
             "arcs are in order then.\n\n"
             "Raises MemoryError; nothing is lost then, the next call returns it.");

static PyObject *store_drain(qc_store *store, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"packed", NULL};
    int packed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:drain", names, &packed)) {
        return NULL;
    }
    return drain(store, packed);
}

/* Empties the file's sets but for what was not drained. 0, or -1 when memory ran out. */
static int renew_file(qc_file *file)
{
    if (file->arcs.count == 0 && file->lines.count == 0) {
        return 0;
    }
    qc_arcset arcs = file->arcs;
    qc_lineset lines = file->lines;
    int result = 0;
    qc_arcset_init(&file->arcs);
    qc_lineset_init(&file->lines);
    for (uint32_t k = file->arcs_drained; k < arcs.count && result >= 0; k++) {
        result = qc_arcset_add(&file->arcs, arcs.items[k]);
    }
    for (uint32_t k = file->lines_drained; k < lines.count && result >= 0; k++) {
        result = qc_lineset_add(&file->lines, lines.items[k]);
    }
    if (result < 0) { /* as it was */
        qc_arcset_free(&file->arcs);
        qc_lineset_free(&file->lines);
        file->arcs = arcs;
        file->lines = lines;
        return -1;
    }
    qc_arcset_free(&arcs);
    qc_lineset_free(&lines);
    file->arcs_drained = file->lines_drained = 0;
    return 0;
}

static int renew(qc_store *store)
{
    if (qc_records_drain(&store->records) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t id = 0; id < qc_filetab_count(&store->files); id++) {
        if (renew_file(qc_filetab_get(&store->files, id)) < 0) {
            PyErr_NoMemory();
            return -1;
        }
    }
    store->round = qc_codemap_epoch(store->map);
    return qc_records_renew(&store->records, store->arm_hits, store->rearm, store->rearm_context);
}

PyDoc_STRVAR(renew_doc,
             "renew()\n--\n\n"
             "Forget what was drained, and see every place again. What was not drained is kept.\n\n"
             "Raises MemoryError.");

static PyObject *store_renew(qc_store *store, PyObject *Py_UNUSED(none))
{
    return renew(store) == 0 ? Py_NewRef(Py_None) : NULL;
}

PyDoc_STRVAR(turn_doc,
             "turn()\n--\n\n"
             "Drain, packed, and renew: what belongs to the context that ends, as two dicts, the\n"
             "second with what other threads hit meanwhile.\n\n"
             "Raises MemoryError if nothing could be drained; later errors are latched.");

static PyObject *store_turn(qc_store *store, PyObject *Py_UNUSED(none))
{
    PyObject *pair = PyTuple_New(2);
    PyObject *before = pair != NULL ? drain(store, true) : NULL;
    if (before == NULL) {
        Py_XDECREF(pair);
        return NULL;
    }
    PyObject *meanwhile = renew(store) == 0 ? drain(store, true) : NULL;
    if (meanwhile == NULL) {
        qc_store_latch(store); /* what was drained must not be lost */
        meanwhile = Py_NewRef(Py_None);
    }
    PyTuple_SET_ITEM(pair, 0, before);
    PyTuple_SET_ITEM(pair, 1, meanwhile);
    return pair;
}

PyDoc_STRVAR(take_error_doc,
             "take_error()\n--\n\n"
             "Return the first exception that measuring ran into, or None, and forget it.");

static PyObject *store_take_error(qc_store *store, PyObject *Py_UNUSED(none))
{
    PyObject *error = store->error;
    store->error = NULL;
    return error != NULL ? error : Py_NewRef(Py_None);
}

PyDoc_STRVAR(stats_doc, "stats()\n--\n\n"
                        "Return figures about what is recorded, as a dict of numbers.");

static PyObject *store_stats(qc_store *store, PyObject *Py_UNUSED(none))
{
    size_t arcs = 0, lines = 0;
    uint32_t count = qc_filetab_count(&store->files);
    for (uint32_t id = 0; id < count; id++) {
        arcs += qc_filetab_get(&store->files, id)->arcs.count;
        lines += qc_filetab_get(&store->files, id)->lines.count;
    }
    return Py_BuildValue("{sksnsnsnsnsn}", "files", (unsigned long)count, "lines",
                         (Py_ssize_t)lines, "arcs", (Py_ssize_t)arcs, "code_records",
                         (Py_ssize_t)qc_table_count(&store->records.table), "code_units",
                         (Py_ssize_t)store->records.units, "live_codes",
                         (Py_ssize_t)store->map->link_count);
}

/* ------------------------------------------------------------------ the type */

qc_store *qc_store_new(qc_state *state, qc_codemap *map, bool branch)
{
    PyTypeObject *type = state->store_type;
    qc_store *store = (qc_store *)type->tp_alloc(type, 0);
    if (store == NULL) {
        return NULL;
    }
    store->state = state;
    store->map = qc_codemap_hold(map);
    store->epoch = qc_codemap_epoch(store->map);
    store->round = qc_codemap_epoch(store->map);
    store->branch = branch;
    qc_filetab_init(&store->files);
    qc_records_init(&store->records, store->map, branch);
    store->names = PyList_New(0);
    store->ids = PyDict_New();
    if (store->names == NULL || store->ids == NULL) {
        Py_DECREF(store);
        return NULL;
    }
    return store;
}

void qc_store_move(qc_store *store, qc_codemap *map)
{
    (void)qc_codemap_hold(map);
    qc_codemap_release(store->map);
    store->map = store->records.map = map;
    store->epoch = qc_codemap_epoch(map);
    store->round = qc_codemap_epoch(map);
}

static PyObject *store_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"branch", NULL};
    int branch = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:Store", names, &branch)) {
        return NULL;
    }
    qc_state *state = qc_state_of_type(type);
    return state != NULL ? (PyObject *)qc_store_new(state, state->map, branch) : NULL;
}

static int store_traverse(qc_store *store, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(store));
    Py_VISIT(store->names);
    Py_VISIT(store->ids);
    Py_VISIT(store->error);
    return 0;
}

static int store_clear(qc_store *store)
{
    Py_CLEAR(store->error);
    return 0;
}

static void store_dealloc(qc_store *store)
{
    PyTypeObject *type = Py_TYPE(store);
    PyObject_GC_UnTrack(store);
    (void)store_clear(store);
    if (store->map != NULL) {
        qc_records_free(&store->records);
        qc_filetab_free(&store->files);
        qc_codemap_release(store->map);
    }
    Py_CLEAR(store->names);
    Py_CLEAR(store->ids);
    type->tp_free(store);
    Py_DECREF(type);
}

static PyMethodDef store_methods[] = {
    {"drain", (PyCFunction)(void (*)(void))store_drain, METH_VARARGS | METH_KEYWORDS, drain_doc},
    {"renew", (PyCFunction)store_renew, METH_NOARGS, renew_doc},
    {"turn", (PyCFunction)store_turn, METH_NOARGS, turn_doc},
    {"take_error", (PyCFunction)store_take_error, METH_NOARGS, take_error_doc},
    {"stats", (PyCFunction)store_stats, METH_NOARGS, stats_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef store_members[] = {
    {"branch", T_BOOL, offsetof(qc_store, branch), READONLY, "arcs are recorded, not lines"},
    {"activity", T_BOOL, offsetof(qc_store, activity), 0, "an event came since the last reset"},
    {"in_place", T_BOOL, offsetof(qc_store, in_place), 0,
     "bytecode may be changed to see it again"},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(store_doc, "Store(*, branch=False)\n--\n\n"
                        "Everything that one collector records: lines, or arcs with branches.");

static PyType_Slot store_slots[] = {
    {Py_tp_doc, (void *)store_doc}, {Py_tp_new, store_new},
    {Py_tp_dealloc, store_dealloc}, {Py_tp_traverse, store_traverse},
    {Py_tp_clear, store_clear},     {Py_tp_methods, store_methods},
    {Py_tp_members, store_members}, {0, NULL},
};

PyType_Spec qc_store_spec = {
    .name = "quickcover._native.Store",
    .basicsize = sizeof(qc_store),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = store_slots,
};
