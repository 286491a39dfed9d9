#include "qc_datafile.h"

#include "../core/qc_arcset.h"
#include "../core/qc_database.h"
#include "../core/qc_mem.h"
#include "../core/qc_pack.h"
#include "qc_datahits.h"

#include <stdlib.h>

enum { MAX_ITEMS = 24 };

/* A text that a table has once, and its row number. */
typedef struct {
    const char *bytes;
    size_t size;
    int64_t row;
} name;

/* All those of a table. */
typedef struct {
    name *by_row, *in_order;
    size_t count;
} names;

typedef struct {
    qc_database database;
    PyObject *meta;    /* a list of pairs of strings */
    PyObject *tracers; /* a list of pairs: the number of a file, a string; in order */
    names keys, files, contexts;
    qc_datahits hits;
    int schema_version, branch;
} datafile;

static qc_value number(int64_t value)
{
    return (qc_value){.kind = QC_VALUE_NUMBER, .number = value};
}

static qc_value text(const char *bytes, size_t size)
{
    return (qc_value){.kind = QC_VALUE_TEXT, .bytes = bytes, .size = size};
}

static void add(qc_tree *tree, int64_t row, qc_value first, qc_value second)
{
    const qc_value values[] = {first, second};
    qc_tree_add(tree, row, values, 2);
}

/* --------------------------------------------------------------------------------- names */

/* SQLite's order of texts. */
static int compare(const void *first, const void *second)
{
    const name *one = first, *other = second;
    size_t both = one->size < other->size ? one->size : other->size;
    int order = both != 0 ? memcmp(one->bytes, other->bytes, both) : 0;
    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

static bool read_name(PyObject *string, name *found)
{
    if (!PyUnicode_Check(string)) {
        PyErr_SetString(PyExc_TypeError, "not a string");
        return false;
    }
    Py_ssize_t size;
    found->bytes = PyUnicode_AsUTF8AndSize(string, &size);
    found->size = (size_t)size;
    return found->bytes != NULL;
}

/* Reads a list of strings, or of pairs with a string first. */
static bool read_names(names *names, PyObject *list, bool pairs)
{
    names->count = (size_t)PyList_GET_SIZE(list);
    names->by_row = qc_malloc(names->count * sizeof(name));
    names->in_order = qc_malloc(names->count * sizeof(name));
    if (names->by_row == NULL || names->in_order == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < names->count; i++) {
        PyObject *item = PyList_GET_ITEM(list, (Py_ssize_t)i);
        names->by_row[i].row = (int64_t)i + 1;
        if (!read_name(pairs ? PyTuple_GET_ITEM(item, 0) : item, &names->by_row[i])) {
            return false;
        }
    }
    memcpy(names->in_order, names->by_row, names->count * sizeof(name));
    qsort(names->in_order, names->count, sizeof(name), compare);
    return true;
}

static void free_names(names *names)
{
    qc_free(names->by_row, names->count * sizeof(name));
    qc_free(names->in_order, names->count * sizeof(name));
}

/* The rows of a table of numbers and texts, or of its index of the texts. */
static void name_rows(const names *names, qc_tree *tree)
{
    for (size_t i = 0; i < names->count; i++) {
        const name *found = tree->index ? &names->in_order[i] : &names->by_row[i];
        if (tree->index) {
            add(tree, 0, text(found->bytes, found->size), number(found->row));
        } else {
            add(tree, found->row, (qc_value){.kind = QC_VALUE_NULL},
                text(found->bytes, found->size));
        }
    }
}

/* ------------------------------------------------------- a tree for each table and index */

static void schema_rows(datafile *file, qc_tree *tree)
{
    const qc_value version = number(file->schema_version);
    qc_tree_add(tree, 1, &version, 1);
}

static void meta_rows(datafile *file, qc_tree *tree)
{
    name value = {0};
    if (tree->index) {
        name_rows(&file->keys, tree);
        return;
    }
    for (size_t i = 0; i < file->keys.count; i++) {
        const name *key = &file->keys.by_row[i];
        PyObject *pair = PyList_GET_ITEM(file->meta, (Py_ssize_t)i);
        if (!read_name(PyTuple_GET_ITEM(pair, 1), &value)) {
            return;
        }
        add(tree, key->row, text(key->bytes, key->size), text(value.bytes, value.size));
    }
}

static void file_rows(datafile *file, qc_tree *tree)
{
    name_rows(&file->files, tree);
}

static void context_rows(datafile *file, qc_tree *tree)
{
    name_rows(&file->contexts, tree);
}

static void tracer_rows(datafile *file, qc_tree *tree)
{
    name tracer = {0};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(file->tracers); i++) {
        PyObject *pair = PyList_GET_ITEM(file->tracers, i);
        int64_t row = PyLong_AsLongLong(PyTuple_GET_ITEM(pair, 0));
        if (PyErr_Occurred() || !read_name(PyTuple_GET_ITEM(pair, 1), &tracer)) {
            return;
        }
        add(tree, row, (qc_value){.kind = QC_VALUE_NULL}, text(tracer.bytes, tracer.size));
    }
}

static void arc_rows(datafile *file, qc_tree *tree)
{
    int64_t row = 0;
    for (size_t i = 0; file->branch && i < file->hits.count; i++) {
        const qc_datahits_group *group = &file->hits.groups[i];
        const uint64_t *arcs = file->hits.arcs + group->from;
        for (size_t k = 0; k < group->count; k++) {
            const qc_value values[] = {number(group->file), number(group->context),
                                       number(qc_arc_from(arcs[k])), number(qc_arc_to(arcs[k])),
                                       number(++row)};
            qc_tree_add(tree, row, values, tree->index ? 5 : 4);
        }
    }
}

static void add_lines(datafile *file, qc_tree *tree, const qc_datahits_group *group, int64_t row)
{
    qc_value values[] = {number(group->file), number(group->context), number(row)};
    const int32_t *lines = file->hits.lines + group->from;
    uint8_t *blob = NULL;
    size_t size = 0;
    if (!tree->index) {
        size = qc_pack_numbits_size(lines, group->count);
        blob = qc_malloc(size);
        if (blob == NULL) {
            file->database.no_memory = true;
            return;
        }
        qc_pack_numbits(lines, group->count, blob);
        values[2] = (qc_value){.kind = QC_VALUE_BLOB, .bytes = blob, .size = size};
    }
    qc_tree_add(tree, row, values, 3);
    qc_free(blob, size);
}

static void line_rows(datafile *file, qc_tree *tree)
{
    int64_t row = 0;
    for (size_t i = 0; !file->branch && i < file->hits.count; i++) {
        if (file->hits.groups[i].count != 0) {
            add_lines(file, tree, &file->hits.groups[i], ++row);
        }
    }
}

/* ------------------------------------------------------------------------------ the file */

typedef void (*rows_of)(datafile *file, qc_tree *tree);

static rows_of rows_of_table(const char *name)
{
    static const struct {
        const char *name;
        rows_of rows;
    } tables[] = {
        {"coverage_schema", schema_rows}, {"meta", meta_rows},      {"file", file_rows},
        {"context", context_rows},        {"line_bits", line_rows}, {"arc", arc_rows},
        {"tracer", tracer_rows},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(tables[i].name, name) == 0) {
            return tables[i].rows;
        }
    }
    return NULL;
}

/* Builds the tree of a table or an index. False if there is an exception. */
static bool build(datafile *file, qc_database_item *item)
{
    rows_of rows = rows_of_table(item->table);
    if (rows == NULL) {
        PyErr_Format(PyExc_ValueError, "no such table: %s", item->table);
        return false;
    }
    qc_tree tree;
    qc_tree_begin(&tree, &file->database, strcmp(item->type, "index") == 0);
    rows(file, &tree);
    item->root = qc_tree_end(&tree);
    return !PyErr_Occurred();
}

static PyObject *build_all(datafile *file, PyObject *list)
{
    qc_database_item items[MAX_ITEMS];
    size_t count = (size_t)PyList_GET_SIZE(list);
    if (count > MAX_ITEMS) {
        PyErr_SetString(PyExc_ValueError, "too many tables");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        qc_database_item *item = &items[i];
        if (!PyArg_ParseTuple(PyList_GET_ITEM(list, (Py_ssize_t)i), "sssz", &item->type,
                              &item->name, &item->table, &item->sql) ||
            !build(file, item)) {
            return NULL;
        }
    }
    if (!qc_database_end(&file->database, items, count)) {
        return file->database.no_memory
                   ? PyErr_NoMemory()
                   : (PyErr_SetString(PyExc_ValueError, "too long a schema"), NULL);
    }
    return PyBytes_FromStringAndSize((const char *)file->database.bytes,
                                     (Py_ssize_t)file->database.pages * QC_DATABASE_PAGE);
}

/* Is it a list of pairs of something of this type and of a string? */
static bool is_pairs(PyObject *list, PyTypeObject *type)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
            !Py_IS_TYPE(PyTuple_GET_ITEM(pair, 0), type) ||
            !PyUnicode_Check(PyTuple_GET_ITEM(pair, 1))) {
            PyErr_Format(PyExc_TypeError, "not a list of pairs of %s and str", type->tp_name);
            return false;
        }
    }
    return true;
}

static void free_all(datafile *file)
{
    qc_database_free(&file->database);
    qc_datahits_free(&file->hits);
    free_names(&file->keys);
    free_names(&file->files);
    free_names(&file->contexts);
}

PyObject *qc_datafile_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    datafile file = {0};
    PyObject *items, *files, *contexts, *hits, *bytes = NULL;
    if (!PyArg_ParseTuple(args, "O!iO!O!O!O!O!p", &PyList_Type, &items, &file.schema_version,
                          &PyList_Type, &file.meta, &PyList_Type, &files, &PyList_Type, &contexts,
                          &PyList_Type, &file.tracers, &PyList_Type, &hits, &file.branch) ||
        !is_pairs(file.meta, &PyUnicode_Type) || !is_pairs(file.tracers, &PyLong_Type)) {
        return NULL;
    }
    qc_database_begin(&file.database);
    if (read_names(&file.keys, file.meta, true) && read_names(&file.files, files, false) &&
        read_names(&file.contexts, contexts, false) &&
        qc_datahits_take(&file.hits, hits, file.branch)) {
        bytes = build_all(&file, items);
    }
    free_all(&file);
    return bytes;
}
