#include "qc_stack.h"
#include "qc_test.h"

#include <pthread.h>

enum { FRAME = 1000, MOST = 100000 };

/* How deep calls with a frame of about that size get before half of the stack is used. */
static int depth(int so_far)
{
    volatile char frame[FRAME];

    frame[so_far % FRAME] = (char)so_far;
    if (qc_stack_is_half_used() || so_far == MOST) {
        return so_far;
    }
    return depth(so_far + 1) + frame[so_far % FRAME] - (char)so_far;
}

static void *deep_in_thread(void *result)
{
    *(int *)result = qc_stack_is_half_used() ? -1 : depth(0);
    return NULL;
}

static int depth_in_thread(size_t stack)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int result = -2;

    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, stack), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, deep_in_thread, &result), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attributes);
    return result;
}

static void half_of_a_threads_stack(void)
{
    int small = depth_in_thread((size_t)512 << 10), large = depth_in_thread((size_t)4 << 20);

    CHECK(small > 10);
    CHECK(small <= (512 << 10) / 2 / FRAME);
    CHECK(large > 4 * small);
}

static void the_main_thread_has_much(void)
{
    CHECK(!qc_stack_is_half_used());
    CHECK(depth(0) > 100);
}

int main(void)
{
    RUN(half_of_a_threads_stack);
    RUN(the_main_thread_has_much);
    return test_report();
}
