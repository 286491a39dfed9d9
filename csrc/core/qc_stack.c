#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthread_getattr_np */
#endif

#include "qc_stack.h"

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#endif

/* Stacks grow downwards wherever CPython runs. */
static _Thread_local uintptr_t middle; /* of this thread's stack; 0: not known yet */

/* The lower and the upper end of this thread's stack. False if that is not known. */
static bool find_ends(uintptr_t *low, uintptr_t *high)
{
#if defined(_WIN32)
    ULONG_PTR from, to;
    GetCurrentThreadStackLimits(&from, &to);
    *low = from;
    *high = to;
    return true;
#elif defined(__APPLE__)
    *high = (uintptr_t)pthread_get_stackaddr_np(pthread_self());
    *low = *high - pthread_get_stacksize_np(pthread_self());
    return true;
#elif defined(__linux__)
    pthread_attr_t attributes;
    void *from = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return false;
    }
    int result = pthread_attr_getstack(&attributes, &from, &size);
    (void)pthread_attr_destroy(&attributes);
    *low = (uintptr_t)from;
    *high = *low + size;
    return result == 0;
#else
    (void)low;
    (void)high;
    return false;
#endif
}

bool qc_stack_is_half_used(void)
{
    enum { ENOUGH = 100000 };
#ifdef __GNUC__
    uintptr_t now = (uintptr_t)__builtin_frame_address(0); /* sanitizers move variables away */
#else
    char here;
    uintptr_t now = (uintptr_t)&here;
#endif
    uintptr_t low, high;
    if (middle == 0) {
        bool known = find_ends(&low, &high) && low < now && now < high;
        middle = known ? low + (high - low) / 2 : now - ENOUGH;
    }
    return now < middle;
}
