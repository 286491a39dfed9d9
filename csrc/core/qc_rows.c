#include "qc_rows.h"

#include "qc_mem.h"

#include <string.h>

enum {
    FILE_HEADER = 100, /* on the first page, before the page's own */
    LEAF_HEADER = 8,
    INNER_HEADER = 12,
    POINTER = 2, /* to a cell */
    CHILD = 4,   /* the number of a page */
    MAX_VARINT = 9,
    MAX_DEPTH = 20, /* as SQLite */
    LEAST_PAGE = 512,
    LEAST_USABLE = 480,
};

enum { TABLE_LEAF = 13, TABLE_INNER = 5, INDEX_LEAF = 10, INDEX_INNER = 2 };

/* The reading of one tree. */
typedef struct {
    const qc_rows *rows;
    qc_rows_each each;
    void *data;
    uint32_t pages_left; /* no tree has more pages than the file: it would be a circle */
    qc_rows_end end;
} reading;

/* Some bytes that are read from the front. */
typedef struct {
    const uint8_t *at, *end;
} span;

/* ------------------------------------------------------------------------------- numbers */

static uint64_t get_number(const uint8_t *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* Seven bits in each byte, and all eight of the ninth. False if the bytes end before. */
static bool get_varint(span *from, uint64_t *number)
{
    uint64_t found = 0;
    for (size_t i = 0; i < MAX_VARINT && from->at < from->end; i++) {
        uint8_t byte = *from->at++;
        if (i == MAX_VARINT - 1) {
            *number = found << 8 | byte;
            return true;
        }
        found = found << 7 | (byte & 0x7f);
        if (byte < 0x80) {
            *number = found;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------- records */

/* Takes the column that the header calls `type` from the body. */
static bool get_value(uint64_t type, span *body, qc_value *value)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8};
    size_t here = (size_t)(body->end - body->at);
    *value = (qc_value){.kind = QC_VALUE_NULL};
    if (type == 8 || type == 9) {
        *value = (qc_value){.kind = QC_VALUE_NUMBER, .number = type == 9};
    } else if (type >= 1 && type < sizeof sizes) {
        size_t size = sizes[type];
        if (size > here) {
            return false;
        }
        uint64_t sign = UINT64_C(1) << (8 * size - 1);
        int64_t number = (int64_t)((get_number(body->at, size) ^ sign) - sign);
        *value = (qc_value){.kind = QC_VALUE_NUMBER, .number = number};
        body->at += size;
    } else if (type >= 12) {
        uint64_t size = (type - 12) / 2;
        if (size > here) {
            return false;
        }
        *value = (qc_value){.kind = type % 2 != 0 ? QC_VALUE_TEXT : QC_VALUE_BLOB,
                            .bytes = body->at,
                            .size = (size_t)size};
        body->at += size;
    } else if (type != 0) {
        return false;
    }
    return true;
}

/* Gives the caller a row. */
static bool take_record(reading *reading, int64_t row, const uint8_t *record, size_t size)
{
    qc_value values[QC_ROWS_COLUMNS];
    size_t count = 0;
    uint64_t header_size, type;
    span header = {record, record + size};
    if (!get_varint(&header, &header_size) || header_size > size ||
        header_size < (size_t)(header.at - record)) {
        return false;
    }
    span body = {record + header_size, record + size};
    header.end = body.at;
    while (header.at < header.end) {
        if (count == QC_ROWS_COLUMNS || !get_varint(&header, &type) ||
            !get_value(type, &body, &values[count])) {
            return false;
        }
        count++;
    }
    if (!reading->each(reading->data, row, values, count)) {
        reading->end = QC_ROWS_STOPPED;
        return false;
    }
    return true;
}

/* --------------------------------------------------------------------------------- pages */

/* A page, from 1; NULL if the file has none of that number. */
static const uint8_t *page_of(const qc_rows *rows, uint64_t number)
{
    return number >= 1 && number <= rows->pages ? rows->bytes + (number - 1) * rows->page_size
                                                : NULL;
}

/* Puts a record together whose end is on pages of its own, from `aside` on. */
static bool take_scattered(reading *reading, int64_t row, const uint8_t *start, size_t here,
                           size_t size)
{
    const qc_rows *rows = reading->rows;
    uint64_t aside = get_number(start + here, CHILD);
    uint8_t *record = qc_malloc(size);
    if (record == NULL) {
        reading->end = QC_ROWS_NO_MEMORY;
        return false;
    }
    memcpy(record, start, here);
    size_t done = here;
    while (done < size) {
        const uint8_t *page = page_of(rows, aside);
        if (page == NULL) {
            break;
        }
        size_t most = rows->usable - CHILD, part = size - done < most ? size - done : most;
        memcpy(record + done, page + CHILD, part);
        aside = get_number(page, CHILD);
        done += part;
    }
    bool read = done == size && take_record(reading, row, record, size);
    qc_free(record, size);
    return read;
}

/* How much of a record that long stands in its cell. */
static size_t size_here(const qc_rows *rows, bool index, size_t size)
{
    size_t most = index ? (rows->usable - 12) * 64 / 255 - 23 : rows->usable - 35;
    if (size <= most) {
        return size;
    }
    size_t least = (rows->usable - 12) * 32 / 255 - 23;
    size_t here = least + (size - least) % (rows->usable - CHILD);
    return here <= most ? here : least;
}

/* Takes the record of a cell. */
static bool take_cell(reading *reading, span cell, bool index)
{
    uint64_t size, row = 0;
    if (!get_varint(&cell, &size) || (!index && !get_varint(&cell, &row)) ||
        size > reading->rows->size) {
        return false;
    }
    size_t here = size_here(reading->rows, index, (size_t)size);
    size_t needed = here + (here < size ? CHILD : 0);
    if (needed > (size_t)(cell.end - cell.at)) {
        return false;
    }
    return here == size ? take_record(reading, (int64_t)row, cell.at, here)
                        : take_scattered(reading, (int64_t)row, cell.at, here, (size_t)size);
}

/* The cells of a page, and what is under its header's last child. */
typedef struct {
    const uint8_t *page;
    span pointers;
    uint32_t usable;
    bool inner, index;
} page_cells;

static bool open_page(reading *reading, uint64_t number, page_cells *cells)
{
    const uint8_t *page = page_of(reading->rows, number);
    if (page == NULL || reading->pages_left == 0) {
        return false;
    }
    reading->pages_left--;
    size_t header = number == 1 ? FILE_HEADER : 0;
    uint8_t kind = page[header];
    cells->page = page;
    cells->usable = reading->rows->usable;
    cells->inner = kind == TABLE_INNER || kind == INDEX_INNER;
    cells->index = kind == INDEX_LEAF || kind == INDEX_INNER;
    size_t first = header + (cells->inner ? INNER_HEADER : LEAF_HEADER);
    size_t end = first + POINTER * (size_t)get_number(page + header + 3, 2);
    cells->pointers = (span){page + first, page + end};
    return (cells->inner || kind == TABLE_LEAF || kind == INDEX_LEAF) && end <= cells->usable;
}

/* The next cell. */
static bool next_cell(page_cells *cells, span *cell)
{
    uint64_t at = get_number(cells->pointers.at, POINTER);
    cells->pointers.at += POINTER;
    *cell = (span){cells->page + at, cells->page + cells->usable};
    return at < cells->usable;
}

static bool read_leaf(reading *reading, page_cells *cells)
{
    span cell;
    while (cells->pointers.at < cells->pointers.end) {
        if (!next_cell(cells, &cell) || !take_cell(reading, cell, cells->index)) {
            return false;
        }
    }
    return true;
}

/* Goes on with a page whose cells were read in part: the next child, and in an index the entry
 * that follows it. False if something is wrong. */
static bool next_child(reading *reading, page_cells *cells, uint64_t *child, bool *last)
{
    *last = cells->pointers.at == cells->pointers.end;
    if (*last) {
        size_t header = cells->page == reading->rows->bytes ? FILE_HEADER : 0;
        *child = get_number(cells->page + header + 8, CHILD);
        return true;
    }
    span cell;
    if (!next_cell(cells, &cell) || cell.end - cell.at < CHILD) {
        return false;
    }
    *child = get_number(cell.at, CHILD);
    return true;
}

/* The entry of an index between the child that was read last and the next one. */
static bool take_between(reading *reading, const page_cells *cells)
{
    span cell;
    page_cells before = *cells;
    before.pointers.at -= POINTER;
    if (!cells->index || !next_cell(&before, &cell)) {
        return !cells->index;
    }
    cell.at += CHILD; /* there, as next_child saw */
    return take_cell(reading, cell, true);
}

/* Reads all under a page. `index`: so are the pages above it, and all of a tree are alike. */
static bool read_tree(reading *reading, uint64_t root)
{
    page_cells stack[MAX_DEPTH];
    bool over[MAX_DEPTH] = {false};
    size_t depth = 0;
    uint64_t child = root;
    for (;;) {
        page_cells *cells = &stack[depth];
        if (!open_page(reading, child, cells) || cells->index != stack[0].index) {
            return false;
        }
        if (!cells->inner && !read_leaf(reading, cells)) {
            return false;
        }
        over[depth] = !cells->inner;
        /* Up to the next page that has children left. */
        while (over[depth]) {
            if (depth == 0) {
                return true;
            }
            depth--;
            if (!over[depth] && !take_between(reading, &stack[depth])) {
                return false;
            }
        }
        if (!next_child(reading, &stack[depth], &child, &over[depth]) || depth + 1 == MAX_DEPTH) {
            return false;
        }
        depth++;
    }
}

bool qc_rows_begin(qc_rows *rows, const void *bytes, size_t size)
{
    static const char magic[16] = "SQLite format 3";
    const uint8_t *at = bytes;
    *rows = (qc_rows){.bytes = bytes, .size = size};
    if (size < LEAST_PAGE || memcmp(at, magic, sizeof magic) != 0) {
        return false;
    }
    uint32_t page_size = (uint32_t)get_number(at + 16, 2);
    page_size = page_size == 1 ? 65536 : page_size;
    if (page_size < LEAST_PAGE || (page_size & (page_size - 1)) != 0) {
        return false;
    }
    rows->page_size = page_size;
    rows->usable = page_size - at[20];
    rows->pages = (uint32_t)(size / page_size < UINT32_MAX ? size / page_size : UINT32_MAX);
    bool journal = at[18] == 1 && at[19] == 1;
    bool utf8 = get_number(at + 56, 4) == 1;
    return rows->usable >= LEAST_USABLE && size % page_size == 0 && journal && utf8;
}

qc_rows_end qc_rows_read(const qc_rows *rows, uint32_t root, qc_rows_each each, void *data)
{
    reading reading = {rows, each, data, rows->pages, QC_ROWS_UNREADABLE};
    return read_tree(&reading, root) ? QC_ROWS_DONE : reading.end;
}
