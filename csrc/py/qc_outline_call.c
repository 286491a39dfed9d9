#include "qc_outline_call.h"

#include "../core/qc_outline.h"

/* The name that begins there, as it is spelt. */
static PyObject *name_from(const char *start)
{
    const char *end = start;
    while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') || *end == '_' ||
           (*end >= '0' && *end <= '9') || (unsigned char)*end >= 0x80) {
        end++;
    }
    return PyUnicode_DecodeUTF8(start, end - start, NULL);
}

/* Takes the names out of the text; statements have their positions then. */
static PyObject *take_names(qc_outline *outline, const char *text)
{
    PyObject *names = PyList_New(0);
    for (uint32_t i = 0; names != NULL && i < outline->statement_count; i++) {
        qc_statement *statement = &outline->statements[i];
        if (statement->kind != QC_STMT_FUNCTION && statement->kind != QC_STMT_CLASS) {
            continue;
        }
        PyObject *name = name_from(text + statement->extra);
        statement->extra = (int32_t)PyList_GET_SIZE(names);
        if (name == NULL || PyList_Append(names, name) < 0) {
            Py_CLEAR(names);
        }
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *as_python(qc_outline *outline, const char *text)
{
    PyObject *names = take_names(outline, text);
    if (names == NULL) {
        return NULL;
    }
    PyObject *statements = PyBytes_FromStringAndSize(
        (const char *)outline->statements,
        (Py_ssize_t)(outline->statement_count * sizeof *outline->statements));
    PyObject *lines = PyBytes_FromStringAndSize(
        (const char *)outline->lines, (Py_ssize_t)(outline->line_count * sizeof *outline->lines));
    return Py_BuildValue("(NNN)", statements, names, lines);
}

PyObject *qc_outline_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *text;
    Py_ssize_t size;
    int debug, nested_fstrings;
    qc_outline outline;
    if (!PyArg_ParseTuple(args, "s#pp", &text, &size, &debug, &nested_fstrings)) {
        return NULL;
    }
    switch (qc_outline_make(&outline, text, (size_t)size, debug, nested_fstrings)) {
    case QC_OUTLINE_NO_MEMORY:
        return PyErr_NoMemory();
    case QC_OUTLINE_UNSURE:
        Py_RETURN_NONE;
    default:
        break;
    }
    PyObject *found = as_python(&outline, text);
    qc_outline_free(&outline);
    return found;
}
