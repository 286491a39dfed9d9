/* What the probe engine sees of frames: a part of qc_compat.h, which says for which versions it
 * holds.
 */
#ifndef QC_COMPAT_FRAMES_H
#define QC_COMPAT_FRAMES_H

#include "qc_compat.h"

#if QC_HAVE_PROBES

/* What was new in 3.12: code has its adaptive instructions from the beginning, and sys.monitoring
 * changes opcodes in place; so do trace functions. */
#define QC_CODE_IS_BORN_WARM QC_AT_LEAST_3_12

/* The innermost frame of a thread, which may be one that C has made for itself; NULL. */
static inline _PyInterpreterFrame *qc_thread_iframe(const PyThreadState *thread)
{
#if QC_AT_LEAST_3_13
    return thread->current_frame;
#else
    return thread->cframe->current_frame;
#endif
}

/* The code object of a frame that runs Python code, borrowed. */
static inline PyCodeObject *qc_iframe_code(const _PyInterpreterFrame *frame)
{
#if QC_AT_LEAST_3_13
    return (PyCodeObject *)frame->f_executable;
#else
    return frame->f_code;
#endif
}

/* Has it begun to run Python code? */
static inline bool qc_iframe_runs(_PyInterpreterFrame *frame)
{
#if QC_CODE_IS_BORN_WARM
    return !_PyFrame_IsIncomplete(frame);
#else
    (void)frame;
    return true;
#endif
}

/* The unit that the innermost frame executes. */
static inline uint32_t qc_iframe_current_unit(const _PyInterpreterFrame *frame)
{
#if QC_AT_LEAST_3_13
    return (uint32_t)(frame->instr_ptr - _PyCode_CODE(qc_iframe_code(frame)));
#else
    return (uint32_t)(frame->prev_instr - _PyCode_CODE(frame->f_code));
#endif
}

/* The code object and the unit that the innermost Python frame executes. */
static inline PyCodeObject *qc_current_code(uint32_t *unit)
{
    _PyInterpreterFrame *frame = qc_thread_iframe(PyThreadState_Get());
    *unit = qc_iframe_current_unit(frame);
    return qc_iframe_code(frame);
}

/* The trace function that sees this thread's next line; NULL. */
static inline Py_tracefunc qc_active_tracefunc(void)
{
    PyThreadState *thread = PyThreadState_Get();
#if QC_CODE_IS_BORN_WARM
    return !thread->tracing ? thread->c_tracefunc : NULL;
#else
    return thread->cframe->use_tracing && !thread->tracing ? thread->c_tracefunc : NULL;
#endif
}

/* Puts another one in its place, behind the same object. */
static inline void qc_set_tracefunc(Py_tracefunc function)
{
    PyThreadState_Get()->c_tracefunc = function;
}

/* The exception that is being handled, borrowed; NULL. */
static inline PyObject *qc_handled_exception(void)
{
    return PyThreadState_Get()->exc_info->exc_value;
}

/* In the trampoline of QC_PROBE_OUT: the unit that raised, which alone is on the stack below the
 * exception. */
static inline uint32_t qc_raising_unit(void)
{
    _PyInterpreterFrame *frame = qc_thread_iframe(PyThreadState_Get());
    PyObject *place = _PyFrame_Stackbase(frame)[0];
    return PyLong_CheckExact(place) ? (uint32_t)PyLong_AsLong(place) : UINT32_MAX;
}

/* What is on the stack of the running frame, borrowed; `place` counts from its bottom. */
static inline PyObject *qc_stacked(uint32_t place)
{
    return _PyFrame_Stackbase(qc_thread_iframe(PyThreadState_Get()))[place];
}

/* In the trampoline of QC_PROBE_OUT: the exception, borrowed. */
static inline PyObject *qc_leaving_exception(void)
{
    return qc_stacked(1);
}

/* The unit of the running frame that raised the exception; UINT32_MAX if that was elsewhere. */
static inline uint32_t qc_exception_unit(PyObject *exception, PyCodeObject *code)
{
    PyObject *traceback = exception != NULL && PyExceptionInstance_Check(exception)
                              ? ((PyBaseExceptionObject *)exception)->traceback
                              : NULL;
    if (traceback == NULL || !PyTraceBack_Check(traceback)) {
        return UINT32_MAX;
    }
    const PyTracebackObject *entry = (const PyTracebackObject *)traceback;
    _PyInterpreterFrame *frame = qc_thread_iframe(PyThreadState_Get());
    bool here = entry->tb_frame == frame->frame_obj && qc_iframe_code(frame) == code;
    return here && entry->tb_lasti >= 0 ? (uint32_t)entry->tb_lasti / 2 : UINT32_MAX;
}

/* Was the frame left for good? */
static inline bool qc_frame_is_over(PyFrameObject *frame)
{
    return frame->f_frame->owner == FRAME_OWNED_BY_FRAME_OBJECT;
}

/* Calls visit(frame, context) for every Python frame that runs, in all threads; they must not
 * change meanwhile. A -1 ends the walk. */
static inline int qc_each_running_frame(int (*visit)(_PyInterpreterFrame *frame, void *context),
                                        void *context)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    int result = 0;
    for (; thread != NULL && result == 0; thread = PyThreadState_Next(thread)) {
        _PyInterpreterFrame *frame = qc_thread_iframe(thread);
        for (; frame != NULL && result == 0; frame = frame->previous) {
            result = qc_iframe_runs(frame) ? visit(frame, context) : 0;
        }
    }
    return result;
}

/* The frame of a generator, coroutine or asynchronous generator that does not run but can go on;
 * NULL for anything else. */
static inline _PyInterpreterFrame *qc_suspended_frame(PyObject *object)
{
    if (!PyGen_CheckExact(object) && !PyCoro_CheckExact(object) && !PyAsyncGen_CheckExact(object)) {
        return NULL;
    }
    PyGenObject *generator = (PyGenObject *)object;
    bool waits = generator->gi_frame_state < FRAME_EXECUTING;
    return waits ? (_PyInterpreterFrame *)generator->gi_iframe : NULL;
}

/* The unit before the one that a suspended frame goes on at. */
static inline uint32_t qc_frame_unit(const _PyInterpreterFrame *frame)
{
#if QC_AT_LEAST_3_13
    return qc_iframe_current_unit(frame) - 1;
#else
    return qc_iframe_current_unit(frame);
#endif
}

/* Has a suspended generator go on in another code object, after that unit. */
static inline void qc_generator_exchange(PyObject *object, PyCodeObject *code, uint32_t unit)
{
    PyGenObject *generator = (PyGenObject *)object;
    _PyInterpreterFrame *frame = (_PyInterpreterFrame *)generator->gi_iframe;
#if QC_AT_LEAST_3_13
    frame->instr_ptr = _PyCode_CODE(code) + unit + 1;
    Py_SETREF(frame->f_executable, Py_NewRef(code));
#else
    frame->prev_instr = _PyCode_CODE(code) + unit;
    Py_SETREF(frame->f_code, (PyCodeObject *)Py_NewRef(code));
#endif
#if !QC_CODE_IS_BORN_WARM
    Py_XSETREF(generator->gi_code, (PyCodeObject *)Py_NewRef(code));
#endif
}

#endif

#endif
