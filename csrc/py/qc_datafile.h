/*
 * qc_datafile: data files of coverage.py as bytes, made without SQLite (qc_database.h), whose
 * import takes longer than a short process, and whose inserts take longer than all else of a long
 * one.
 *
 * Threads: the caller holds the GIL, or is attached; no shared state.
 */
#ifndef QC_DATAFILE_H
#define QC_DATAFILE_H

#include "qc_compat.h"

/* The method `data_file(items, schema_version, meta, files, contexts, tracers, hits, branch)`. */
PyObject *qc_datafile_call(PyObject *module, PyObject *args);

#endif
