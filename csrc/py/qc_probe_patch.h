/* Probes in the code of a twin: putting them in and taking them out.
 *
 * CPython changes code as it runs (it specialises instructions, joins two into one, has one look at
 * the next), so a unit that is put back must have the form that its neighbours expect, and a unit
 * that is displaced must have no neighbour that relies on it. All functions need the GIL; none runs
 * Python code or can fail.
 */
#ifndef QC_PROBE_PATCH_H
#define QC_PROBE_PATCH_H

#include "qc_probe_layout.h"
#include "qc_probe_twin.h"

#if QC_HAVE_PROBES

/* Arms the probes of a twin that can tell what the link's record lacks; those that see every
 * exception too, if `all`; `fresh` code has never run. A twin that sleeps gets its stub. False if
 * some are left out, as a frame that was made for the original has no stack slot for them. */
bool qc_twin_arm(qc_link *link, bool branches, bool all, bool fresh);

/* Arms one probe again that was armed before. */
void qc_twin_arm_probe(qc_link *link, uint32_t probe);

/* Takes all probes out, and the stub. */
void qc_twin_disarm(qc_link *link);

/* Takes one armed probe out. */
void qc_probe_disarm(PyCodeObject *code, qc_twin *twin, qc_probe *probe);

/* Takes the stub out, if there is one. */
void qc_stub_remove(qc_link *link);

/* Writes what displaces the units of a probe that is armed back into a copy of the code. */
void qc_probe_clean(const qc_twin *twin, const qc_probe *probe, uint8_t *bytes);

#else

static inline void qc_twin_arm_probe(qc_link *Py_UNUSED(link), uint32_t Py_UNUSED(probe))
{
}

#endif

#endif
