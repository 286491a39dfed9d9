/*
 * fuzz_input: reads numbers off a fuzzer's bytes; a reader that has run out gives zeros. And
 * fuzz_require, which is an assert in every build. Not for the library.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition) fuzz_require((condition), #condition, __FILE__, __LINE__)

typedef struct fuzz_input {
    const uint8_t *bytes;
    size_t left;
} fuzz_input;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline uint8_t fuzz_byte(fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->bytes++;
}

static inline uint32_t fuzz_word(fuzz_input *input)
{
    uint32_t word = 0;

    for (int i = 0; i < 4; i++) {
        word = word << 8 | fuzz_byte(input);
    }
    return word;
}

/* A number that is often small, so that the same ones come again, and sometimes anything. */
static inline int32_t fuzz_number(fuzz_input *input)
{
    uint8_t shape = fuzz_byte(input);

    return (int32_t)(shape < 200 ? shape : fuzz_word(input) >> (shape % 32));
}

static inline void fuzz_require(bool good, const char *text, const char *file, int line)
{
    if (!good) {
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
        abort();
    }
}

/* Makes text of arbitrary bytes: letters of the fuzzer's alphabet become pieces of source, because
 * random bytes rarely are any. Its length, below `capacity`; no piece is longer than 15 bytes. */
static inline size_t fuzz_source(char *text, size_t capacity, const uint8_t *data, size_t size,
                                 const char *const *pieces, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < size && length + 16 < capacity; i++) {
        size_t piece = data[i] % (2 * count);

        if (piece < count) {
            size_t n = strlen(pieces[piece]);

            memcpy(text + length, pieces[piece], n);
            length += n;
        } else {
            text[length++] = (char)data[i];
        }
    }
    return length;
}

#endif
