#include "qc_compat_events.h"

#include "qc_context.h"
#include "qc_engine_probe.h"
#include "qc_probe_context.h"
#include "qc_probe_patch.h"
#include "qc_record.h"

#if QC_HAVE_PROBES

/* Switches back to no context. -1 with an exception that is the program's. */
static int end(qc_tracer *tracer)
{
    Py_CLEAR(tracer->context_frame);
    bool running = tracer->context != NULL && tracer->started;
    return running && qc_context_end(tracer) < 0 ? qc_tracer_fail(tracer) : 0;
}

int qc_probe_context_check(qc_tracer *tracer)
{
    bool over = tracer->context_frame != NULL && qc_frame_is_over(tracer->context_frame);
    return over ? end(tracer) : 0;
}

/* Arms what has fired, but for the probe that fires now: where a frame begins, its ends; where it
 * is suspended, where it goes on. */
static void arm_again(const qc_tracer *tracer, qc_link *link)
{
    if (tracer->started && link->record != NULL && link->twin != NULL) {
        /* What can't be was told before. */
        (void)qc_twin_arm(link, tracer->store->branch, false, false);
    }
}

int qc_probe_frame_begins(qc_tracer *tracer, qc_link *link)
{
    PyFrameObject *frame = PyEval_GetFrame();
    int begins = 0;
    if (tracer->started && tracer->context == NULL && frame != NULL) {
        begins = qc_context_begin(tracer, frame);
    }
    if (begins > 0 && tracer->started) {
        Py_XSETREF(tracer->context_frame, (PyFrameObject *)Py_NewRef(frame));
    }
    arm_again(tracer, link);
    return begins < 0 ? qc_tracer_fail(tracer) : 0;
}

int qc_probe_frame_ends(qc_tracer *tracer, qc_link *link)
{
    bool its = tracer->context_frame != NULL && PyEval_GetFrame() == tracer->context_frame;
    int result = its ? end(tracer) : 0;
    arm_again(tracer, link);
    return result;
}

#endif
