/* What of CPython's the probe engine stands in for while it runs, to meet code before it runs.
 *
 * exec() and eval() run the twin of the code they are given; `function.__code__ = code` and
 * types.FunctionType(code, ...) take the twin; sys.settrace() tells of trace functions. It is the C
 * functions behind them that are exchanged, so every reference to them goes through us, and no
 * object is another than before. They are one of a kind in a process, so what stands in for them is
 * process-wide, too.
 *
 * All functions need the GIL.
 */
#ifndef QC_PROBE_SLOTS_H
#define QC_PROBE_SLOTS_H

#include "qc_tracer.h"

#if QC_HAVE_PROBES

/* Fills the slots, for the prober of `map`. 0, or -1 with an exception set. */
int qc_probe_slots_open(qc_codemap *map);

/* Puts CPython's own back. */
void qc_probe_slots_close(qc_codemap *map);

/* A trace function is there, or comes: it must not take trampolines for lines. 0, or -1 with an
 * exception set. */
int qc_probe_expect_trace(qc_codemap *map);

/* If the interpreter is still being made ready, has the main program met when it begins: a script
 * is run by C, not by exec(). Call it when the slots are open. */
void qc_probe_await_program(qc_tracer *tracer);

/* The definition of a function of a module; NULL with an exception set if there is none with these
 * flags. */
PyMethodDef *qc_module_method(PyObject *module, const char *name, int flags);

/* The same for a built-in module; NULL with an exception set if there is none
 * with these flags. */
PyMethodDef *qc_builtin_method(const char *module_name, const char *name, int flags);

#else

static inline int qc_probe_expect_trace(qc_codemap *Py_UNUSED(map))
{
    return 0;
}

#endif

#endif
