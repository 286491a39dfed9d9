#include "qc_mem.h"
#include "qc_test.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define HAVE_THREADS 1
#endif

static void bytes_follow_every_verb(void)
{
    void *one = qc_malloc(100), *two = qc_calloc(10, 7);

    CHECK_EQ(qc_mem_bytes(), 170);
    one = qc_realloc(one, 100, 300);
    CHECK_EQ(qc_mem_bytes(), 370);
    one = qc_realloc(one, 300, 5);
    CHECK_EQ(qc_mem_bytes(), 75);
    qc_free(two, 70);
    qc_free(one, 5);
    qc_free(NULL, 1000);
    CHECK_EQ(qc_mem_bytes(), 0);
}

static void calloc_zeroes_and_realloc_keeps(void)
{
    char *block = qc_calloc(4, 16), *grown;

    for (int i = 0; i < 64; i++) {
        CHECK_EQ(block[i], 0);
    }
    memset(block, 'x', 64);
    grown = qc_realloc(block, 64, 4096);
    for (int i = 0; i < 64; i++) {
        CHECK_EQ(grown[i], 'x');
    }
    qc_free(grown, 4096);
    grown = qc_realloc(NULL, 0, 8);
    CHECK(grown != NULL);
    qc_free(grown, 8);
}

static void size_zero_gives_a_block(void)
{
    void *one = qc_malloc(0), *two = qc_calloc(0, 8), *three = qc_calloc(8, 0);

    CHECK(one != NULL && two != NULL && three != NULL && one != two);
    one = qc_realloc(one, 0, 0);
    CHECK(one != NULL);
    qc_free(one, 0);
    qc_free(two, 0);
    qc_free(three, 0);
}

static void overflow_is_no_memory(void)
{
    void *block = qc_malloc(8);

    CHECK(qc_malloc(SIZE_MAX) == NULL);
    CHECK(qc_malloc((size_t)PTRDIFF_MAX + 1) == NULL);
    CHECK(qc_calloc(SIZE_MAX, 2) == NULL);
    CHECK(qc_calloc(2, SIZE_MAX) == NULL);
    CHECK(qc_calloc(SIZE_MAX / 4 + 2, 4) == NULL);
    CHECK(qc_realloc(block, 8, SIZE_MAX - 1) == NULL);
    CHECK_EQ(qc_mem_bytes(), 8);
    qc_free(block, 8);
}

static void the_nth_allocation_fails_once(void)
{
    char *block, *other;

    qc_mem_fail_after(1);
    CHECK(qc_malloc(8) == NULL);
    block = qc_malloc(8);
    if (!CHECK(block != NULL)) {
        return;
    }
    memset(block, 'y', 8);

    qc_mem_fail_after(2);
    other = qc_calloc(1, 8);
    CHECK(other != NULL);
    CHECK(qc_realloc(block, 8, 16) == NULL);
    CHECK_EQ(block[7], 'y');
    block = qc_realloc(block, 8, 16);
    CHECK(block != NULL);
    CHECK_EQ(qc_mem_bytes(), 24);

    qc_mem_fail_after(1);
    qc_mem_fail_after(0);
    qc_free(other, 8);
    other = qc_malloc(8);
    CHECK(other != NULL);
    qc_free(other, 8);
    qc_mem_fail_after(-5);
    other = qc_malloc(8);
    CHECK(other != NULL);
    qc_free(other, 8);
    qc_free(block, 16);
}

#ifdef HAVE_THREADS
static void *churn(void *failures)
{
    for (size_t i = 0; i < 20000; i++) {
        size_t size = i % 100;
        void *block = qc_malloc(size), *grown;

        grown = block != NULL ? qc_realloc(block, size, size + 10) : NULL;
        *(long *)failures += grown == NULL;
        qc_free(grown != NULL ? grown : block, grown != NULL ? size + 10 : size);
    }
    return NULL;
}

static void threads_count_exactly(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    long failures[THREADS] = {0}, total = 0;

    qc_mem_fail_after(30000);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, churn, &failures[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        total += failures[i];
    }
    CHECK_EQ(total, 1);
    CHECK_EQ(qc_mem_bytes(), 0);
}
#endif

int main(void)
{
    RUN(bytes_follow_every_verb);
    RUN(calloc_zeroes_and_realloc_keeps);
    RUN(size_zero_gives_a_block);
    RUN(overflow_is_no_memory);
    RUN(the_nth_allocation_fails_once);
#ifdef HAVE_THREADS
    RUN(threads_count_exactly);
#endif
    return test_report();
}
