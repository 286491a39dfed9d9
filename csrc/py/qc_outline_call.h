/*
 * qc_outline_call: the outline of Python source (qc_outline.h) for Python.
 *
 * Threads: the caller holds the GIL, or is attached; no shared state.
 */
#ifndef QC_OUTLINE_CALL_H
#define QC_OUTLINE_CALL_H

#include "qc_compat.h"

/* The method `outline(text, debug, nested_fstrings)`: (statements, names, lines), or None where the
 * outline is unsure. The numbers are bytes: int32, in the order of the structs; `names` is a list
 * of those of functions and classes, and `extra` of these the position in it. */
PyObject *qc_outline_call(PyObject *module, PyObject *args);

#endif
