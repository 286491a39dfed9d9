#include "qc_dataread.h"

#include "../core/qc_mem.h"
#include "../core/qc_rows.h"

#include <stdbool.h>

/* Adds to the list, and lets go of the item; NULL is an error. */
static bool append(PyObject *list, PyObject *item)
{
    bool added = item != NULL && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return added;
}

/* Reads a table or an index. True if all is read; else there is an exception, unless the file
 * can't be read here. */
static bool read_all(const Py_buffer *content, unsigned int root, qc_rows_each each, void *data)
{
    qc_rows rows;
    qc_rows_end end = QC_ROWS_UNREADABLE;
    if (qc_rows_begin(&rows, content->buf, (size_t)content->len)) {
        end = qc_rows_read(&rows, root, each, data);
    }
    if (end == QC_ROWS_NO_MEMORY) {
        PyErr_NoMemory();
    }
    return end == QC_ROWS_DONE;
}

/* What the caller is given; takes the list. */
static PyObject *answer(PyObject *list, bool read)
{
    if (read || list == NULL) {
        return list;
    }
    Py_DECREF(list);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* --------------------------------------------------------------------------------- rows */

static PyObject *as_object(const qc_value *value)
{
    switch (value->kind) {
    case QC_VALUE_NUMBER:
        return PyLong_FromLongLong(value->number);
    case QC_VALUE_TEXT:
        return PyUnicode_DecodeUTF8(value->bytes, (Py_ssize_t)value->size, NULL);
    case QC_VALUE_BLOB:
        return PyBytes_FromStringAndSize(value->bytes, (Py_ssize_t)value->size);
    default:
        return Py_NewRef(Py_None);
    }
}

static bool add_row(void *data, int64_t row, const qc_value *values, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    bool made = tuple != NULL;
    for (size_t i = 0; made && i < count; i++) {
        /* A column that is the row's number is empty. */
        PyObject *item = i == 0 && values[i].kind == QC_VALUE_NULL ? PyLong_FromLongLong(row)
                                                                   : as_object(&values[i]);
        made = item != NULL;
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
    }
    if (!made) {
        Py_XDECREF(tuple);
        if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            PyErr_Clear();
        }
        return false;
    }
    return append(data, tuple);
}

PyObject *qc_dataread_rows_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer content;
    unsigned int root;
    if (!PyArg_ParseTuple(args, "y*I", &content, &root)) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    bool read = list != NULL && read_all(&content, root, add_row, list);
    PyBuffer_Release(&content);
    return answer(list, read);
}

/* --------------------------------------------------------------------------------- hits */

enum { FIRST_LINES = 256 };

/* Those of one file and context, until the next begins. */
typedef struct {
    PyObject *list;
    int64_t file, context;
    int32_t *lines;
    size_t count, capacity;
    bool branch;
} hits;

static bool add_line(hits *hits, int64_t line)
{
    if (hits->count == hits->capacity) {
        size_t capacity = hits->capacity != 0 ? 2 * hits->capacity : FIRST_LINES;
        int32_t *larger =
            qc_realloc(hits->lines, hits->capacity * sizeof *larger, capacity * sizeof *larger);
        if (larger == NULL) {
            PyErr_NoMemory();
            return false;
        }
        hits->lines = larger;
        hits->capacity = capacity;
    }
    hits->lines[hits->count++] = (int32_t)line;
    return line >= INT32_MIN && line <= INT32_MAX;
}

/* Puts what there is into the list. */
static bool end_group(hits *hits)
{
    if (hits->count == 0) {
        return true;
    }
    PyObject *group =
        Py_BuildValue("LLy#", (long long)hits->file, (long long)hits->context,
                      (const char *)hits->lines, (Py_ssize_t)(hits->count * sizeof *hits->lines));
    hits->count = 0;
    return append(hits->list, group);
}

static bool add_numbits(hits *hits, const qc_value *blob)
{
    const uint8_t *bytes = blob->bytes;
    for (size_t i = 0; i < blob->size; i++) {
        for (unsigned int bit = 0; bit < 8; bit++) {
            if ((bytes[i] >> bit & 1) != 0 && !add_line(hits, (int64_t)(8 * i + bit))) {
                return false;
            }
        }
    }
    return true;
}

/* Takes an entry of the index of arcs, or a row of the table of lines. */
static bool add_hits(void *data, int64_t Py_UNUSED(row), const qc_value *values, size_t count)
{
    hits *hits = data;
    size_t numbers = hits->branch ? 4 : 2;
    if (count < numbers || (!hits->branch && (count != 3 || values[2].kind != QC_VALUE_BLOB))) {
        return false;
    }
    for (size_t i = 0; i < numbers; i++) {
        if (values[i].kind != QC_VALUE_NUMBER) {
            return false;
        }
    }
    if (hits->file != values[0].number || hits->context != values[1].number) {
        if (!end_group(hits)) {
            return false;
        }
        hits->file = values[0].number;
        hits->context = values[1].number;
    }
    return hits->branch ? add_line(hits, values[2].number) && add_line(hits, values[3].number)
                        : add_numbits(hits, &values[2]);
}

PyObject *qc_dataread_hits_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer content;
    unsigned int root;
    int branch;
    if (!PyArg_ParseTuple(args, "y*Ip", &content, &root, &branch)) {
        return NULL;
    }
    hits hits = {.list = PyList_New(0), .branch = branch};
    bool read = hits.list != NULL && read_all(&content, root, add_hits, &hits) && end_group(&hits);
    PyBuffer_Release(&content);
    qc_free(hits.lines, hits.capacity * sizeof *hits.lines);
    return answer(hits.list, read);
}
