/*
 * A main for the fuzz targets where libFuzzer is missing (gcc): runs the target on random inputs
 * for a number of seconds, or on the files that are named, to see a crash again. A crash leaves
 * its input in ./crash-input.
 *
 *   fuzz_sets [SECONDS [SEED]]      fuzz_sets FILE...
 */
#define _POSIX_C_SOURCE 200809L

#include "fuzz_input.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_INPUT = 4096 };

static uint8_t input[MAX_INPUT];
static size_t input_size;
static uint64_t state;

static uint64_t next_random(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Runs in a signal handler: no stdio. */
static void save_input(int number)
{
    int out = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (out >= 0 && write(out, input, input_size) == (ssize_t)input_size) {
        close(out);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static int run_files(char **names)
{
    for (; *names != NULL; names++) {
        FILE *in = fopen(*names, "rb");

        if (in == NULL) {
            perror(*names);
            return 1;
        }
        input_size = fread(input, 1, sizeof input, in);
        fclose(in);
        LLVMFuzzerTestOneInput(input, input_size);
        printf("%s: passed\n", *names);
    }
    return 0;
}

/* Half of the bytes come from a small alphabet, so that operations meet the same elements. */
static void make_input(void)
{
    uint64_t mask = next_random() % 2 == 0 ? 0xff : 0x3f;

    input_size = next_random() % (next_random() % 8 == 0 ? MAX_INPUT : 200);
    for (size_t i = 0; i < input_size; i++) {
        input[i] = (uint8_t)(next_random() & mask);
    }
}

int main(int argc, char **argv)
{
    char *end = NULL;
    double seconds = argc > 1 ? strtod(argv[1], &end) : 1;
    unsigned long runs = 0;
    time_t start = time(NULL);

    signal(SIGABRT, save_input);
    signal(SIGSEGV, save_input);
    if (end != NULL && (*end != '\0' || end == argv[1])) {
        return run_files(argv + 1);
    }
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)start;
    printf("seed %llu\n", (unsigned long long)state);
    fflush(stdout);
    do {
        make_input();
        LLVMFuzzerTestOneInput(input, input_size);
        runs++;
    } while (difftime(time(NULL), start) < seconds);
    printf("%lu passed, 0 failed\n", runs);
    return 0;
}
