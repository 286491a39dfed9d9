/* Tracer: what coverage.py's collector starts and stops (a Python type, the base of both engines).
 *
 * It holds the attributes of coverage.py's Tracer protocol and defers to its engine, a small
 * table of functions. One tracer belongs to one thread under the trace engine, and to the whole
 * process under monitoring. All functions need the GIL.
 */
#ifndef QC_TRACER_H
#define QC_TRACER_H

#include "qc_store.h"

struct qc_tracer;
struct qc_trace_frame;

/* What an engine can do. Functions that can fail return -1 with an exception set. */
typedef struct qc_engine {
    const char *name;
    int (*start)(struct qc_tracer *tracer);
    int (*stop)(struct qc_tracer *tracer);
    /* An event handed over from Python, as sys.settrace does; NULL where there is none. */
    int (*event)(struct qc_tracer *tracer, PyFrameObject *frame, int what);
    void (*release)(struct qc_tracer *tracer); /* frees the engine's own part */
} qc_engine;

typedef struct qc_tracer {
    PyObject_HEAD
    const qc_engine *engine;
    qc_state *state;
    qc_store *store; /* the attribute `data` */
    bool started;
    /* set by the collector */
    PyObject *lock_data, *unlock_data, *trace_arcs, *should_trace, *should_trace_cache, *warn;
    PyObject *concur_id_func, *file_tracers, *threading, *check_include;
    PyObject *should_start_context, *switch_context, *disable_plugin;
    /* trace engine: the frames that run in this thread, innermost last */
    struct qc_trace_frame *frames;
    uint32_t frame_count, frame_capacity;
    PyObject *context;  /* the dynamic context that a frame began; NULL */
    bool test_contexts; /* only functions that are named as tests begin contexts */
    bool chained;       /* goes on to the trace function that was there before */
    Py_tracefunc outer; /* that function, and its object; NULL */
    PyObject *outer_object;
    /* monitoring engine */
    int tool_id; /* -1: none */
    PyObject *set_local_events, *tool_id_object;
    long local_events;            /* of measured code */
    long proof_events;            /* of such with places marked QC_MARK_PROOF, besides */
    long context_events;          /* of code that begins contexts */
    long revive_events;           /* any that can be set and unset again */
    PyFrameObject *context_frame; /* the one that began the context */
} qc_tracer;

extern PyType_Spec qc_tracer_spec;

/* A subtype of `state->tracer_type` for one engine; NULL with an exception set. */
PyTypeObject *qc_tracer_make_type(PyObject *module, PyType_Spec *spec);

/* A tracer of that engine; the arguments are Python's: test_contexts, chained. */
PyObject *qc_tracer_new(PyTypeObject *type, const qc_engine *engine, PyObject *args,
                        PyObject *kwargs);

/* Latches the current exception in the store and stops this tracer: 0. But what a signal handler of
 * the program raised while coverage.py decided (KeyboardInterrupt, SystemExit) is the program's:
 * -1, and it stays the current exception. */
int qc_tracer_fail(qc_tracer *tracer);

#endif
