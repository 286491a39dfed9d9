#include "qc_datahits.h"

#include "../core/qc_arcset.h"
#include "../core/qc_mem.h"
#include "../core/qc_pack.h"

/* An entry of the list. */
typedef struct {
    int64_t file, context;
    PyObject *bytes;
} entry;

static bool read_entry(PyObject *list, Py_ssize_t i, entry *entry)
{
    PyObject *item = PyList_GET_ITEM(list, i);
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 3 ||
        !PyBytes_Check(PyTuple_GET_ITEM(item, 2))) {
        PyErr_SetString(PyExc_TypeError, "not a list of (file, context, bytes)");
        return false;
    }
    entry->file = PyLong_AsLongLong(PyTuple_GET_ITEM(item, 0));
    entry->context = PyLong_AsLongLong(PyTuple_GET_ITEM(item, 1));
    entry->bytes = PyTuple_GET_ITEM(item, 2);
    return !PyErr_Occurred();
}

/* Makes room for all. */
static bool make_room(qc_datahits *hits, PyObject *list)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    size_t size = 1; /* none is no failure */
    entry entry;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!read_entry(list, i, &entry)) {
            return false;
        }
        size += (size_t)PyBytes_GET_SIZE(entry.bytes);
    }
    hits->capacity = (size_t)count + 1;
    hits->groups = qc_malloc(hits->capacity * sizeof *hits->groups);
    hits->size = size;
    hits->all = qc_malloc(size);
    if (hits->groups == NULL || hits->all == NULL) {
        PyErr_NoMemory();
        return false;
    }
    return true;
}

/* The group that an entry belongs to: the last, or a new one. NULL if the list isn't in order. */
static qc_datahits_group *group_of(qc_datahits *hits, const entry *entry)
{
    qc_datahits_group *last = hits->count > 0 ? &hits->groups[hits->count - 1] : NULL;
    if (last != NULL) {
        if (last->file == entry->file && last->context == entry->context) {
            return last;
        }
        if (last->file > entry->file ||
            (last->file == entry->file && last->context > entry->context)) {
            PyErr_SetString(PyExc_ValueError, "hits are not in order");
            return NULL;
        }
    }
    qc_datahits_group *group = &hits->groups[hits->count++];
    *group = (qc_datahits_group){entry->file, entry->context,
                                 last != NULL ? last->from + last->count : 0, 0};
    return group;
}

static bool is_before(uint64_t one, uint64_t other)
{
    return qc_arc_from(one) < qc_arc_from(other) ||
           (qc_arc_from(one) == qc_arc_from(other) && qc_arc_to(one) < qc_arc_to(other));
}

/* Puts the arcs of a group in order, each once. */
static void put_in_order(uint64_t *arcs, size_t *count)
{
    size_t n = 1;
    while (n < *count && is_before(arcs[n - 1], arcs[n])) {
        n++;
    }
    if (n >= *count) {
        return; /* they are, mostly */
    }
    qc_pack_sort_arcs(arcs, *count);
    n = 1;
    for (size_t i = 1; i < *count; i++) {
        if (arcs[i] != arcs[n - 1]) {
            arcs[n++] = arcs[i];
        }
    }
    *count = n;
}

static void add_arcs(qc_datahits *hits, qc_datahits_group *group, PyObject *bytes)
{
    const int32_t *lines = (const int32_t *)(const void *)PyBytes_AS_STRING(bytes);
    size_t count = (size_t)PyBytes_GET_SIZE(bytes) / (2 * sizeof *lines);
    uint64_t *arcs = hits->arcs + group->from + group->count;
    for (size_t i = 0; i < count; i++) {
        arcs[i] = qc_arc_pack(lines[2 * i], lines[2 * i + 1]);
    }
    group->count += count;
}

static void add_lines(qc_datahits *hits, qc_datahits_group *group, PyObject *bytes)
{
    size_t count = (size_t)PyBytes_GET_SIZE(bytes) / sizeof *hits->lines;
    memcpy(hits->lines + group->from + group->count, PyBytes_AS_STRING(bytes),
           count * sizeof *hits->lines);
    group->count += count;
}

bool qc_datahits_take(qc_datahits *hits, PyObject *list, bool branch)
{
    *hits = (qc_datahits){0};
    if (!make_room(hits, list)) {
        return false;
    }
    entry entry;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        qc_datahits_group *group = read_entry(list, i, &entry) ? group_of(hits, &entry) : NULL;
        if (group == NULL) {
            return false;
        }
        (branch ? add_arcs : add_lines)(hits, group, entry.bytes);
    }
    for (size_t i = 0; branch && i < hits->count; i++) {
        put_in_order(hits->arcs + hits->groups[i].from, &hits->groups[i].count);
    }
    return true;
}

void qc_datahits_free(qc_datahits *hits)
{
    qc_free(hits->groups, hits->capacity * sizeof *hits->groups);
    qc_free(hits->all, hits->size);
    *hits = (qc_datahits){0};
}
