/*
 * qc_dataread: what is in a data file of coverage.py, read without SQLite (qc_rows.h).
 *
 * Threads: the caller holds the GIL, or is attached; no shared state.
 */
#ifndef QC_DATAREAD_H
#define QC_DATAREAD_H

#include "qc_compat.h"

/* The method `data_rows(content, root)`. */
PyObject *qc_dataread_rows_call(PyObject *module, PyObject *args);

/* The method `data_hits(content, root, branch)`. */
PyObject *qc_dataread_hits_call(PyObject *module, PyObject *args);

#endif
