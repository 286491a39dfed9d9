/*
 * qc_paint_call: Python source as HTML (qc_paint.h) for Python.
 *
 * Threads: the caller holds the GIL, or is attached; no shared state.
 */
#ifndef QC_PAINT_CALL_H
#define QC_PAINT_CALL_H

#include "qc_compat.h"

/* The method `paint(text, keywords, soft_keywords, soft_lines, fstrings)`: a str, or None where
 * that is unsure. The soft lines are bytes: int32. */
PyObject *qc_paint_call(PyObject *module, PyObject *args);

#endif
