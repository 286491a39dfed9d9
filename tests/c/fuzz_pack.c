/* Sorting, numbits and the hash on arbitrary bytes. */
#include "fuzz_input.h"
#include "qc_arcset.h"
#include "qc_mem.h"
#include "qc_pack.h"

#include <string.h>

enum { MAX_NUMBERS = 1024 };

static bool arc_before(uint64_t left, uint64_t right)
{
    return qc_arc_from(left) != qc_arc_from(right) ? qc_arc_from(left) < qc_arc_from(right)
                                                   : qc_arc_to(left) < qc_arc_to(right);
}

/* Sorted, and with the same sum and exclusive or as before: the same numbers, in practice. */
static void sort_arcs(fuzz_input input)
{
    static uint64_t arcs[MAX_NUMBERS];
    uint64_t sum = 0, bits = 0;
    size_t n = 0;

    for (; n < MAX_NUMBERS && input.left != 0; n++) {
        int32_t from = fuzz_number(&input);

        arcs[n] = qc_arc_pack(from, fuzz_number(&input));
        sum += arcs[n] * arcs[n];
        bits ^= arcs[n];
    }
    qc_pack_sort_arcs(arcs, n);
    for (size_t i = 0; i < n; i++) {
        sum -= arcs[i] * arcs[i];
        bits ^= arcs[i];
        REQUIRE(i == 0 || !arc_before(arcs[i], arcs[i - 1]));
    }
    REQUIRE(sum == 0 && bits == 0);
}

static size_t read_lines(fuzz_input input, int32_t *lines, int32_t mask)
{
    size_t n = 0;

    for (; n < MAX_NUMBERS && input.left != 0; n++) {
        lines[n] = fuzz_number(&input) & mask;
    }
    return n;
}

static void sort_lines(fuzz_input input)
{
    static int32_t lines[MAX_NUMBERS];
    uint64_t sum = 0;
    size_t n = read_lines(input, lines, -1);

    for (size_t i = 0; i < n; i++) {
        sum += (uint64_t)lines[i] * (uint64_t)lines[i];
    }
    qc_pack_sort_lines(lines, n);
    for (size_t i = 0; i < n; i++) {
        sum -= (uint64_t)lines[i] * (uint64_t)lines[i];
        REQUIRE(i == 0 || lines[i - 1] <= lines[i]);
    }
    REQUIRE(sum == 0);
}

/* Every line is in the blob, every bit of the blob is a line, and the last byte is not empty. */
static void numbits(fuzz_input input)
{
    static int32_t lines[MAX_NUMBERS];
    size_t n = read_lines(input, lines, (int32_t)UINT32_C(0x8000ffff)), size, bits = 0, distinct;
    uint8_t *blob;

    size = qc_pack_numbits_size(lines, n);
    blob = malloc(size != 0 ? size : 1); /* exactly as large: sanitizers watch its ends */
    REQUIRE(blob != NULL);
    qc_pack_numbits(lines, n, blob);
    qc_pack_sort_lines(lines, n);
    distinct = 0;
    for (size_t i = 0; i < n; i++) {
        if (lines[i] >= 0) {
            REQUIRE(((blob[lines[i] / 8] >> (lines[i] % 8)) & 1) != 0);
            distinct += i == 0 || lines[i] != lines[i - 1];
        }
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bits += ((unsigned)blob[bit / 8] >> (bit % 8)) & 1;
    }
    REQUIRE(bits == distinct && (size == 0 || blob[size - 1] != 0));
    free(blob);
}

static void hash(const uint8_t *data, size_t size)
{
    uint64_t plain = qc_pack_hash(data, size, 0);

    REQUIRE(plain == qc_pack_hash(data, size, 0));
    REQUIRE(plain != qc_pack_hash(data, size, 1));
    REQUIRE(size == 0 || plain != qc_pack_hash(data, size - 1, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};

    sort_arcs(input);
    sort_lines(input);
    numbits(input);
    hash(data, size);
    REQUIRE(qc_mem_bytes() == 0);
    return 0;
}
