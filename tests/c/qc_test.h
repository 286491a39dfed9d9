/*
 * qc_test: a test harness in one header, for programs of one module each. A test is a function
 * without arguments that CHECKs; main RUNs them and returns test_report(). The last line of output
 * is 'N passed, N failed'. Random tests draw from test_random, seeded by QC_TEST_SEED or a
 * constant.
 *
 * Not for: the library. Not thread-safe: CHECK in the main thread alone.
 */
#ifndef QC_TEST_H
#define QC_TEST_H

#include "qc_mem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(left, right) \
    test_check_equal((long long)(left), (long long)(right), #left " == " #right, __FILE__, __LINE__)
#define RUN(test) test_run(#test, test)

static int test_passed, test_failed, test_complaints;
static uint64_t test_state;

static inline bool test_check(bool good, const char *text, const char *file, int line)
{
    /* The first few say what is wrong; a random test may have thousands. */
    if (!good && ++test_complaints <= 10) {
        printf("%s:%d: failed: %s\n", file, line, text);
    }
    return good;
}

static inline bool test_check_equal(long long left, long long right, const char *text,
                                    const char *file, int line)
{
    bool good = test_check(left == right, text, file, line);

    if (!good && test_complaints <= 10) {
        printf("    %lld != %lld\n", left, right);
    }
    return good;
}

/* Any 64-bit number (splitmix64). */
static inline uint64_t test_random(void)
{
    uint64_t z = test_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 <= result < n. */
static inline uint32_t test_below(uint32_t n)
{
    return (uint32_t)(test_random() % n);
}

/* Runs one test, with a random sequence of its own; a test must leave no allocation behind. */
static inline void test_run(const char *name, void (*test)(void))
{
    const char *seed = getenv("QC_TEST_SEED");

    test_state = seed != NULL ? strtoull(seed, NULL, 0) : 1;
    test_complaints = 0;
    test();
    qc_mem_fail_after(0);
    CHECK_EQ(qc_mem_bytes(), 0);
    test_complaints == 0 ? test_passed++ : test_failed++;
    printf("%s %s\n", test_complaints == 0 ? "ok  " : "FAIL", name);
}

/* Closes a temporary file; returns what was dumped to it, until the next call. */
static inline const char *test_dumped(FILE *file)
{
    static char text[4096];
    size_t size = fseek(file, 0, SEEK_SET) == 0 ? fread(text, 1, sizeof text - 1, file) : 0;

    text[size] = '\0';
    fclose(file);
    return text;
}

/* The exit code of the program. */
static inline int test_report(void)
{
    printf("%d passed, %d failed\n", test_passed, test_failed);
    return test_failed != 0;
}

#endif
