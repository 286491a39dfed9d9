#include "qc_paint_call.h"

#include "../core/qc_paint.h"

PyObject *qc_paint_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *text;
    PyObject *lines;
    Py_ssize_t size;
    int fstrings;
    qc_paint_rules rules;
    qc_painted painted;
    if (!PyArg_ParseTuple(args, "s#ssSp", &text, &size, &rules.keywords, &rules.soft_keywords,
                          &lines, &fstrings)) {
        return NULL;
    }
    rules.soft_lines = (const int32_t *)(const void *)PyBytes_AS_STRING(lines);
    rules.soft_count = (size_t)PyBytes_GET_SIZE(lines) / sizeof *rules.soft_lines;
    rules.fstrings = fstrings;
    switch (qc_paint(&painted, text, (size_t)size, &rules)) {
    case QC_PAINT_NO_MEMORY:
        return PyErr_NoMemory();
    case QC_PAINT_UNSURE:
        Py_RETURN_NONE;
    default:
        break;
    }
    PyObject *html = PyUnicode_DecodeUTF8(painted.html, (Py_ssize_t)painted.size, NULL);
    qc_painted_free(&painted);
    return html;
}
