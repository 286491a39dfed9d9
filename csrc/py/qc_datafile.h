/*
 * qc_datafile: a new data file of coverage.py, with one context, as bytes: what SQLite would write
 * (qc_database.h), without SQLite, whose import takes longer than a short process.
 *
 * Threads: the caller holds the GIL, or is attached; no shared state.
 */
#ifndef QC_DATAFILE_H
#define QC_DATAFILE_H

#include "qc_compat.h"

/* The method `data_file(items, schema_version, meta, files, branch)`. */
PyObject *qc_datafile_call(PyObject *module, PyObject *args);

#endif
