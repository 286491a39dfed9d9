/* real_path(): where a file really is, asked of the C library.
 *
 * coverage.py asks for the real path of every file it decides about, and os.path.realpath() does in
 * Python what realpath() does in C: the same answers, two to three times slower.
 */
#ifndef QC_REALPATH_H
#define QC_REALPATH_H

#include "qc_state.h"

/* Adds the function to the module. 0, or -1 with an exception set. */
int qc_realpath_add(PyObject *module);

#endif
