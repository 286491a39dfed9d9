#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_probe_tables.h"

#if QC_HAVE_PROBES

void qc_bytes_free(qc_bytes *bytes)
{
    qc_free(bytes->items, bytes->capacity);
    memset(bytes, 0, sizeof *bytes);
}

int qc_bytes_append(qc_bytes *out, const uint8_t *items, size_t size)
{
    if (out->size + size > out->capacity) {
        size_t capacity = 2 * out->capacity + size + 64;
        uint8_t *grown = qc_realloc(out->items, out->capacity, capacity);
        if (grown == NULL) {
            return -1;
        }
        out->items = grown;
        out->capacity = capacity;
    }
    if (size > 0) {
        memcpy(out->items + out->size, items, size);
        out->size += size;
    }
    return 0;
}

/* ------------------------------------------------------------------ locations */

enum { SHORT_MAX = 9, ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

static int append_none(qc_bytes *out, uint32_t units)
{
    while (units > 0) {
        uint32_t some = units < 8 ? units : 8;
        uint8_t head = (uint8_t)(0x80 | NONE << 3 | (some - 1));
        if (qc_bytes_append(out, &head, 1) < 0) {
            return -1;
        }
        units -= some;
    }
    return 0;
}

/* One entry of the original table. */
typedef struct raw_entry {
    const uint8_t *at;
    size_t size;
    uint32_t start, end; /* its units */
} raw_entry;

static int raw_next(raw_entry *entry, const uint8_t *limit)
{
    entry->at += entry->size;
    if (entry->at >= limit) {
        return 0;
    }
    entry->start = entry->end;
    entry->end += (uint32_t)(*entry->at & 7) + 1;
    entry->size = 1;
    while (entry->at + entry->size < limit && !(entry->at[entry->size] & 0x80)) {
        entry->size++;
    }
    return 1;
}

/* Writes an entry for up to 8 units; `again`: its step to another line was made already. */
static int entry_write(qc_bytes *out, const raw_entry *entry, uint32_t units, bool again)
{
    int form = *entry->at >> 3 & 15;
    const uint8_t *rest = entry->at + 1, *limit = entry->at + entry->size;
    uint8_t head[2] = {0, 0};
    size_t head_size = 1;
    if (again && form > ONE_LINE_0 && form <= ONE_LINE_2) {
        form = ONE_LINE_0;
    } else if (again && (form == LONG || form == NO_COLUMNS)) {
        while (rest < limit && *rest & 64) {
            rest++;
        }
        rest += rest < limit;
        head_size = 2; /* a step of 0 lines */
    }
    head[0] = (uint8_t)(0x80 | form << 3 | (int)(units - 1));
    if (qc_bytes_append(out, head, head_size) < 0) {
        return -1;
    }
    return qc_bytes_append(out, rest, (size_t)(limit - rest));
}

/* Does the code of an entry stand from `unit` on as in the original? */
static bool is_whole(const raw_entry *entry, const uint32_t *origin, uint32_t unit, uint32_t units)
{
    uint32_t last = unit + (entry->end - entry->start) - 1;
    return last < units && origin[unit] == entry->start && origin[last] == entry->end - 1;
}

/* Writes the entries from this one on, whose code stands as in the original, as they are; moves
 * *unit behind it. 1; 0 at the end of the table; -1 when memory ran out. `*again`: more code of the
 * last one follows. */
static int copy_entries(qc_bytes *out, raw_entry *entry, const uint8_t *limit,
                        const uint32_t *origin, uint32_t units, uint32_t *unit, bool *again)
{
    const uint8_t *from = entry->at, *to;
    int inside = 1;
    do {
        *unit += entry->end - entry->start;
        to = entry->at + entry->size;
        *again = *unit < units && origin[*unit] < entry->end;
        inside = *again ? 1 : raw_next(entry, limit);
    } while (!*again && inside && *unit < units && is_whole(entry, origin, *unit, units));
    return qc_bytes_append(out, from, (size_t)(to - from)) == 0 ? inside : -1;
}

int qc_linetable_write(qc_bytes *out, const qc_codeview *view, const uint32_t *origin,
                       uint32_t units)
{
    raw_entry entry = {.at = view->linetable};
    const uint8_t *limit = view->linetable + view->linetable_size;
    bool again = false, inside = raw_next(&entry, limit);
    for (uint32_t unit = 0; unit < units;) {
        uint32_t count = 1;
        if (origin[unit] == UINT32_MAX) {
            while (unit + count < units && origin[unit + count] == UINT32_MAX) {
                count++;
            }
            if (append_none(out, count) < 0) {
                return -1;
            }
            unit += count;
            continue;
        }
        while (inside && origin[unit] >= entry.end) {
            inside = raw_next(&entry, limit);
            again = false;
        }
        if (!inside) {
            return append_none(out, units - unit);
        }
        if (!again && is_whole(&entry, origin, unit, units)) {
            int copied = copy_entries(out, &entry, limit, origin, units, &unit, &again);
            if (copied < 0) {
                return -1;
            }
            inside = copied > 0;
            continue;
        }
        while (count < 8 && unit + count < units && origin[unit + count] < entry.end) {
            count++;
        }
        if (entry_write(out, &entry, count, again) < 0) {
            return -1;
        }
        again = true;
        unit += count;
    }
    return 0;
}

/* ------------------------------------------------------------------ exceptions */

static int exception_number(qc_bytes *out, uint32_t value, uint8_t begin)
{
    uint8_t bytes[6];
    size_t size = 0;
    int shift = 30;
    while (shift > 0 && value >> shift == 0) {
        shift -= 6;
    }
    for (; shift >= 0; shift -= 6) {
        bytes[size++] = (uint8_t)((value >> shift & 63) | (shift > 0 ? 64 : 0));
    }
    bytes[0] |= begin;
    return qc_bytes_append(out, bytes, size);
}

static int exception_entry(qc_bytes *out, uint32_t start, uint32_t end, uint32_t target,
                           uint32_t depth)
{
    return exception_number(out, start, 0x80) < 0 || exception_number(out, end - start, 0) < 0 ||
                   exception_number(out, target, 0) < 0 || exception_number(out, depth, 0) < 0
               ? -1
               : 0;
}

static uint32_t place_of(const uint32_t *place, uint32_t unit)
{
    return place != NULL ? place[unit] : unit;
}

enum { NOTHING_AND_PLACE = 1 }; /* depth 0, and the place is pushed */

/* Entries for the units of [from, to): wanted ones lead to `target`, others where `old` says (NULL:
 * nowhere). */
static int exception_run(qc_bytes *out, const uint32_t *place, const uint8_t *wanted,
                         uint32_t target, const qc_exception_entry *old, uint32_t from, uint32_t to)
{
    while (from < to) {
        bool leads = wanted != NULL && wanted[from];
        uint32_t end = from + 1;
        while (end < to && wanted != NULL && (wanted[end] != 0) == leads) {
            end++;
        }
        end = wanted == NULL ? to : end;
        uint32_t start = place_of(place, from), stop = place_of(place, end);
        if (leads ? exception_entry(out, start, stop, target, NOTHING_AND_PLACE) < 0
                  : old != NULL && exception_entry(out, start, stop, place_of(place, old->target),
                                                   old->depth) < 0) {
            return -1;
        }
        from = end;
    }
    return 0;
}

int qc_exceptions_write(qc_bytes *out, const qc_codeview *view, const uint32_t *place,
                        const uint8_t *wanted, uint32_t target, uint32_t wrapper)
{
    qc_exception_entry entry;
    const uint8_t *at = view->exceptions;
    uint32_t last = 0;
    while ((at = qc_exception_next(view, at, &entry)) != NULL) {
        uint32_t end = entry.start + entry.length;
        end = end < view->units ? end : view->units;
        const uint8_t *mine = entry.target == wrapper ? wanted : NULL;
        if (exception_run(out, place, wanted, target, NULL, last, entry.start) < 0 ||
            exception_run(out, place, mine, target, &entry, entry.start, end) < 0) {
            return -1;
        }
        last = end;
    }
    return exception_run(out, place, wanted, target, NULL, last, view->units);
}

#endif
