/* Location and exception tables for code whose instructions have moved.
 *
 * Functions allocate through qc_mem, touch no Python object and run no Python.
 */
#ifndef QC_PROBE_TABLES_H
#define QC_PROBE_TABLES_H

#include "qc_bytecode.h"

/* Bytes that grow. */
typedef struct qc_bytes {
    uint8_t *items;
    size_t size, capacity;
} qc_bytes;

void qc_bytes_free(qc_bytes *bytes);

/* Writes the location table of `units` new units; origin[u] is the original unit whose location
 * unit u has, UINT32_MAX for none. Origins never decrease. 0, or -1 when memory ran out. */
int qc_linetable_write(qc_bytes *out, const qc_codeview *view, const uint32_t *origin,
                       uint32_t units);

int qc_bytes_append(qc_bytes *out, const uint8_t *items, size_t size);

/* Writes the exception table; place[u] is where the original unit u stands now, place[units] the
 * end; NULL: where it stood. Exceptions at units that have no handler but the one at the unit
 * `wrapper` (UINT32_MAX: there is no such) and a 1 in `wanted` (NULL: none has) go to the unit
 * `target`, with nothing on the stack but where they were raised. 0, or -1 when memory ran out. */
int qc_exceptions_write(qc_bytes *out, const qc_codeview *view, const uint32_t *place,
                        const uint8_t *wanted, uint32_t target, uint32_t wrapper);

#endif
