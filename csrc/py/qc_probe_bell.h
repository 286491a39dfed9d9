/* Bells: what tells that code which nobody has called yet is about to run.
 *
 * Most functions that a program makes are never called. So the code of a function, new in the
 * constants of a twin, gets no twin of its own at first: it is hung with a bell, a few instructions
 * in the place of its first ones that call the ring (qc_compat_bell.h). When the function is called
 * for the first time, the ring asks the hook, which makes the twin and has the frame go on in it;
 * functions made from then on have the twin. The code itself never runs while its bell hangs, and
 * a frame of it passes for one that has not begun.
 *
 * To who looks, the code is as it was: qc_probe_looks.c takes the bell down meanwhile. All
 * functions need the GIL; none runs Python code.
 */
#ifndef QC_PROBE_BELL_H
#define QC_PROBE_BELL_H

#include "qc_compat_bell.h"

#include "qc_codemap.h"

#if QC_HAVE_PROBES

/* On the link of the code that it hangs in. */
typedef struct qc_bell {
    PyObject *home;     /* borrowed: constants of the twin where the code stands; NULL: none */
    qc_file *file;      /* what the code is measured into */
    int32_t place;      /* in home */
    int32_t references; /* to the code, when the bell was taken down */
    int32_t slots;      /* of the stack: with the bell, or without, whichever is not in the code */
    uint32_t entry;     /* the unit where it hangs: the code's beginning */
    bool hangs;
    uint8_t saved[2 * QC_BELL_UNITS]; /* what it displaces */
} qc_bell;

/* Frees the bell of code that dies or is to run as it is; nothing happens without one. */
void qc_bell_free(qc_link *link);

/* The constants of a twin die: bells in the code there know it. */
void qc_bells_leave(const qc_codemap *map, PyObject *consts);

/* Hangs code that stands in the constants of a twin with a bell, if nothing runs it: if only these
 * and the constants of its original refer to it. 1; 0: it can't have one; -1 with MemoryError. */
int qc_bell_new(qc_codemap *map, PyObject *home, Py_ssize_t place, qc_file *file);

/* Takes the bell down, if there is one, and hangs it up again. Nothing may begin to run the code
 * meanwhile. */
void qc_bell_take_down(qc_link *link);
void qc_bell_hang_up(qc_link *link);

/* The code's twin is known now: its home has it. */
void qc_bell_answered(qc_link *link, PyCodeObject *twin);

/* The function that bells call; NULL with an exception set. Never freed. */
PyObject *qc_ring_new(PyObject *hook);

#else

static inline void qc_bell_free(qc_link *Py_UNUSED(link))
{
}

static inline void qc_bells_leave(const qc_codemap *Py_UNUSED(map), PyObject *Py_UNUSED(consts))
{
}

#endif

#endif
