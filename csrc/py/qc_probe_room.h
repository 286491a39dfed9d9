/* Room for trampolines at the end of a twin that sleeps, and the stub that wakes it.
 *
 * How much a layout (qc_probe_layout.h) will need is not known before it is made, so the room is
 * for the most that it can need: counting that takes a small part of the time.
 *
 * Functions allocate through qc_mem, touch no Python object and run no Python.
 */
#ifndef QC_PROBE_ROOM_H
#define QC_PROBE_ROOM_H

#include "qc_bytecode.h"

enum { QC_FAR_UNITS = 3 }; /* of a jump that reaches anything: two prefixes */

/* How many EXTENDED_ARGs an argument needs. */
static inline uint8_t qc_prefixes_for(uint32_t argument)
{
    return (uint8_t)((argument > 0xFF) + (argument > 0xFFFF) + (argument > 0xFFFFFF));
}

/* Writes `prefixes` prefixes and the instruction; gives the unit after. */
uint32_t qc_write_prefixed(uint8_t *code, uint32_t at, uint8_t prefixes, uint8_t opcode,
                           uint32_t argument);

/* Where the stub stands: at the first RESUME of the code or after it; at its end if it has none. */
uint32_t qc_room_entry(const qc_codeview *view);

/* How many units a twin must have for any layout to fit in, and for the trampoline of a stub at its
 * end, which begins at *stub. 0 when memory ran out. `hook` is the index of the hook; `tells`:
 * as for qc_plan_make. */
uint32_t qc_room_units(const qc_codeview *view, uint32_t hook, bool tells, uint32_t *stub);

/* Where, behind the trampoline of a stub, a frame lands that a bell rang in (qc_probe_bell.h): what
 * the ring gave is dropped there, and the code begins. */
uint32_t qc_room_landing(uint32_t stub, uint32_t hook);

/* Writes the trampoline of a stub, which goes back to `entry`, and the landing. */
void qc_room_write_stub(uint8_t *code, uint32_t stub, uint32_t entry, uint32_t hook);

/* A jump that goes back to `to` and doesn't look like it; gives the unit after. */
uint32_t qc_room_write_way_back(uint8_t *code, uint32_t at, uint32_t to);

/* Writes a jump forward from `at` to `to`; gives its size in units. */
uint8_t qc_room_write_jump(uint8_t *code, uint32_t at, uint32_t to);

#endif
