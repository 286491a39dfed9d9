#include "qc_datafile.h"

#include "../core/qc_database.h"
#include "../core/qc_mem.h"
#include "../core/qc_pack.h"

enum { MAX_ITEMS = 24, CONTEXT = 1 };

typedef struct {
    qc_database database;
    PyObject *meta;  /* a list of pairs of strings, in order of the first */
    PyObject *files; /* a list of pairs of a path and bytes, in order of the paths */
    int schema_version, branch;
    bool failed; /* with an exception set */
} datafile;

static qc_value number(int64_t value)
{
    return (qc_value){.kind = QC_VALUE_NUMBER, .number = value};
}

static qc_value text(datafile *file, PyObject *string)
{
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(string, &size);
    if (bytes == NULL) {
        file->failed = true;
        size = 0; /* from 3.14 on, it is -1 then */
    }
    return (qc_value){.kind = QC_VALUE_TEXT, .bytes = bytes, .size = (size_t)size};
}

static void add(qc_tree *tree, int64_t row, qc_value first, qc_value second)
{
    const qc_value values[] = {first, second};
    qc_tree_add(tree, row, values, 2);
}

/* ------------------------------------------------------- a tree for each table and index */

static void no_rows(datafile *Py_UNUSED(file), qc_tree *Py_UNUSED(tree))
{
}

static void schema_rows(datafile *file, qc_tree *tree)
{
    const qc_value version = number(file->schema_version);
    qc_tree_add(tree, 1, &version, 1);
}

static void meta_rows(datafile *file, qc_tree *tree)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(file->meta); i++) {
        PyObject *pair = PyList_GET_ITEM(file->meta, i);
        qc_value key = text(file, PyTuple_GET_ITEM(pair, 0));
        add(tree, i + 1, key, tree->index ? number(i + 1) : text(file, PyTuple_GET_ITEM(pair, 1)));
    }
}

static void file_rows(datafile *file, qc_tree *tree)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(file->files); i++) {
        qc_value path = text(file, PyTuple_GET_ITEM(PyList_GET_ITEM(file->files, i), 0));
        if (tree->index) {
            add(tree, 0, path, number(i + 1));
        } else {
            add(tree, i + 1, (qc_value){.kind = QC_VALUE_NULL}, path);
        }
    }
}

static void context_rows(datafile *Py_UNUSED(file), qc_tree *tree)
{
    const qc_value name = {.kind = QC_VALUE_TEXT, .bytes = "", .size = 0};
    if (tree->index) {
        add(tree, 0, name, number(CONTEXT));
    } else {
        add(tree, CONTEXT, (qc_value){.kind = QC_VALUE_NULL}, name);
    }
}

/* What was hit in a file: `count` numbers. */
static const int32_t *hits_of(datafile *file, Py_ssize_t i, size_t *count)
{
    PyObject *bytes = PyTuple_GET_ITEM(PyList_GET_ITEM(file->files, i), 1);
    *count = (size_t)PyBytes_GET_SIZE(bytes) / sizeof(int32_t);
    return (const int32_t *)(const void *)PyBytes_AS_STRING(bytes);
}

static void arc_rows(datafile *file, qc_tree *tree)
{
    int64_t row = 0;
    for (Py_ssize_t i = 0; file->branch && i < PyList_GET_SIZE(file->files); i++) {
        size_t count;
        const int32_t *arcs = hits_of(file, i, &count);
        for (size_t k = 0; k + 1 < count; k += 2) {
            const qc_value values[] = {number(i + 1), number(CONTEXT), number(arcs[k]),
                                       number(arcs[k + 1]), number(++row)};
            qc_tree_add(tree, row, values, tree->index ? 5 : 4);
        }
    }
}

static void add_lines(datafile *file, qc_tree *tree, int64_t id, int64_t row, const int32_t *lines,
                      size_t count)
{
    qc_value values[] = {number(id), number(CONTEXT), number(row)};
    uint8_t *blob = NULL;
    size_t size = 0;
    if (!tree->index) {
        size = qc_pack_numbits_size(lines, count);
        blob = qc_malloc(size);
        if (blob == NULL) {
            file->database.no_memory = true;
            return;
        }
        qc_pack_numbits(lines, count, blob);
        values[2] = (qc_value){.kind = QC_VALUE_BLOB, .bytes = blob, .size = size};
    }
    qc_tree_add(tree, row, values, 3);
    qc_free(blob, size);
}

static void line_rows(datafile *file, qc_tree *tree)
{
    int64_t row = 0;
    for (Py_ssize_t i = 0; !file->branch && i < PyList_GET_SIZE(file->files); i++) {
        size_t count;
        const int32_t *lines = hits_of(file, i, &count);
        if (count != 0) {
            add_lines(file, tree, i + 1, ++row, lines, count);
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
        {"coverage_schema", schema_rows},
        {"meta", meta_rows},
        {"file", file_rows},
        {"context", context_rows},
        {"line_bits", line_rows},
        {"arc", arc_rows},
        {"tracer", no_rows},
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
    return !file->failed;
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

/* Is it a list of pairs of a string and of something of this type? */
static bool is_pairs(PyObject *list, PyTypeObject *type)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
            !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0)) ||
            !Py_IS_TYPE(PyTuple_GET_ITEM(pair, 1), type)) {
            PyErr_Format(PyExc_TypeError, "not a list of pairs of str and %s", type->tp_name);
            return false;
        }
    }
    return true;
}

PyObject *qc_datafile_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    datafile file = {0};
    PyObject *items;
    if (!PyArg_ParseTuple(args, "O!iO!O!p", &PyList_Type, &items, &file.schema_version,
                          &PyList_Type, &file.meta, &PyList_Type, &file.files, &file.branch) ||
        !is_pairs(file.meta, &PyUnicode_Type) || !is_pairs(file.files, &PyBytes_Type)) {
        return NULL;
    }
    qc_database_begin(&file.database);
    PyObject *bytes = build_all(&file, items);
    qc_database_free(&file.database);
    return bytes;
}
