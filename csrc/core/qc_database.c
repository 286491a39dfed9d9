#include "qc_database.h"

#include "qc_mem.h"

#include <string.h>

enum {
    PAGE = QC_DATABASE_PAGE,
    FILE_HEADER = 100, /* on the first page, before the page's own */
    LEAF_HEADER = 8,
    INNER_HEADER = 12,
    POINTER = 2, /* to a cell */
    CHILD = 4,   /* the number of a page */
    FIRST_PAGES = 16,
    MAX_VARINT = 9,
    /* How much of an entry stands on its page; the rest is on pages of its own. */
    MAX_IN_TABLE = PAGE - 35,
    MAX_IN_INDEX = (PAGE - 12) * 64 / 255 - 23,
    LEAST_HERE = (PAGE - 12) * 32 / 255 - 23,
    MOST_PAGES = (1 << 30) / PAGE, /* SQLite has its locks on the page after them */
    MAX_CELL = MAX_IN_TABLE + 2 * MAX_VARINT + CHILD,
};

enum { TABLE_LEAF = 13, TABLE_INNER = 5, INDEX_LEAF = 10, INDEX_INNER = 2 };

/* ------------------------------------------------------------------------------- numbers */

static void put_number(uint8_t *at, uint64_t number, size_t size)
{
    for (size_t i = size; i-- > 0; number >>= 8) {
        at[i] = (uint8_t)number;
    }
}

static uint64_t get_number(const uint8_t *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* Writes a number of at most 56 bits, seven in each byte; how many bytes. */
static size_t put_varint(uint8_t *at, uint64_t number)
{
    size_t size = 1;
    while (number >> (7 * size) != 0) {
        size++;
    }
    for (size_t i = size; i-- > 0; number >>= 7) {
        at[i] = (uint8_t)((number & 0x7f) | (i + 1 < size ? 0x80 : 0));
    }
    return size;
}

/* ------------------------------------------------------------------------------- records */

/* The bytes of a whole number, and what stands for them in a record's header. */
static size_t number_size(int64_t number, uint64_t *type)
{
    static const size_t sizes[] = {1, 2, 3, 4, 6, 8};
    if (number == 0 || number == 1) {
        *type = number == 0 ? 8 : 9;
        return 0;
    }
    size_t i = 0;
    while (i < 5 && (number < -(INT64_C(1) << (8 * sizes[i] - 1)) ||
                     number >= INT64_C(1) << (8 * sizes[i] - 1))) {
        i++;
    }
    *type = i + 1;
    return sizes[i];
}

static size_t value_size(const qc_value *value, uint64_t *type)
{
    switch (value->kind) {
    case QC_VALUE_NUMBER:
        return number_size(value->number, type);
    case QC_VALUE_TEXT:
        *type = 2 * (uint64_t)value->size + 13;
        return value->size;
    case QC_VALUE_BLOB:
        *type = 2 * (uint64_t)value->size + 12;
        return value->size;
    default:
        *type = 0;
        return 0;
    }
}

static bool make_room_for_record(qc_database *database, size_t size)
{
    if (size > database->record_capacity) {
        uint8_t *larger = qc_realloc(database->record, database->record_capacity, 2 * size);
        if (larger == NULL) {
            database->no_memory = true;
            return false;
        }
        database->record = larger;
        database->record_capacity = 2 * size;
    }
    return true;
}

/* Makes the record of some columns; its size, or 0 when memory ran out. */
static size_t make_record(qc_database *database, const qc_value *values, size_t count)
{
    size_t header = 1, size = 0;
    uint64_t type;
    uint8_t varint[MAX_VARINT + 1];
    for (size_t i = 0; i < count; i++) {
        size += value_size(&values[i], &type);
        header += put_varint(varint, type);
    }
    /* Fewer than 127 bytes: there are few columns. */
    if (!make_room_for_record(database, header + size)) {
        return 0;
    }
    uint8_t *at = database->record + put_varint(database->record, header);
    for (size_t i = 0; i < count; i++) {
        value_size(&values[i], &type);
        at += put_varint(at, type);
    }
    for (size_t i = 0; i < count; i++) {
        size_t bytes = value_size(&values[i], &type);
        if (values[i].kind == QC_VALUE_NUMBER) {
            put_number(at, (uint64_t)values[i].number, bytes);
        } else if (bytes != 0) {
            memcpy(at, values[i].bytes, bytes);
        }
        at += bytes;
    }
    return header + size;
}

/* --------------------------------------------------------------------------------- pages */

/* The number of a new page at the end, from 1; 0 when memory ran out. */
static uint32_t new_page(qc_database *database)
{
    if (database->no_memory) {
        return 0;
    }
    if (database->pages == MOST_PAGES) {
        database->no_memory = true;
        return 0;
    }
    if (database->pages == database->capacity) {
        uint32_t larger = database->capacity != 0 ? 2 * database->capacity : FIRST_PAGES;
        uint8_t *bytes =
            qc_realloc(database->bytes, (size_t)database->capacity * PAGE, (size_t)larger * PAGE);
        if (bytes == NULL) {
            database->no_memory = true;
            return 0;
        }
        database->bytes = bytes;
        database->capacity = larger;
    }
    memset(database->bytes + (size_t)database->pages * PAGE, 0, PAGE);
    return ++database->pages;
}

static uint8_t *page_bytes(const qc_database *database, uint32_t number)
{
    return database->bytes + (size_t)(number - 1) * PAGE;
}

static void clear(qc_database_page *page)
{
    page->cells = 0;
    page->content = PAGE;
}

/* Puts a cell into a page whose own header ends at `header`. False if it is full. */
static bool add_cell(qc_database_page *page, uint32_t header, const uint8_t *cell, size_t size)
{
    if (page->content < header + POINTER * (page->cells + 1) + size) {
        return false;
    }
    page->content -= (uint32_t)size;
    memcpy(page->bytes + page->content, cell, size);
    put_number(page->bytes + header + (size_t)POINTER * page->cells, page->content, POINTER);
    page->cells++;
    return true;
}

/* Takes the cell out that was added last; its size. */
static size_t take_cell(qc_database_page *page, uint32_t header, uint8_t *cell)
{
    const uint8_t *pointer = page->bytes + header + (size_t)POINTER * (page->cells - 1);
    uint32_t before = page->cells > 1 ? (uint32_t)get_number(pointer - POINTER, POINTER) : PAGE;
    size_t size = before - page->content;
    memcpy(cell, page->bytes + page->content, size);
    page->content = before;
    page->cells--;
    return size;
}

/* Writes a page that is filled; `header` is where its own header ends. */
static void write_page(const qc_database_page *page, uint8_t *bytes, uint32_t header, uint8_t kind,
                       uint32_t last_child)
{
    uint32_t own = kind == TABLE_LEAF || kind == INDEX_LEAF ? LEAF_HEADER : INNER_HEADER;
    uint8_t *at = bytes + header - own;
    at[0] = kind;
    put_number(at + 3, page->cells, 2);
    put_number(at + 5, page->content, 2);
    if (own == INNER_HEADER) {
        put_number(at + 8, last_child, CHILD);
    }
    memcpy(bytes + header, page->bytes + header, (size_t)POINTER * page->cells);
    memcpy(bytes + page->content, page->bytes + page->content, PAGE - page->content);
}

/* --------------------------------------------------------------------------------- trees */

void qc_tree_begin(qc_tree *tree, qc_database *database, bool index)
{
    *tree = (qc_tree){.database = database, .index = index};
}

/* The page of a level that is being filled; NULL when memory ran out. */
static qc_database_page *page_of_level(qc_tree *tree, uint32_t level)
{
    if (level == tree->levels && !tree->database->no_memory) {
        qc_database_page *page = level < QC_DATABASE_LEVELS ? qc_malloc(sizeof *page) : NULL;
        if (page == NULL) {
            tree->database->no_memory = true;
            return NULL;
        }
        clear(page);
        tree->level[tree->levels++] = page;
    }
    return tree->database->no_memory ? NULL : tree->level[level];
}

/* Writes the page of a level, and begins another; its number, 0 when memory ran out. */
static uint32_t end_page(qc_tree *tree, uint32_t level, uint32_t last_child)
{
    uint32_t number = new_page(tree->database);
    if (number != 0) {
        uint8_t leaf = tree->index ? INDEX_LEAF : TABLE_LEAF;
        uint8_t inner = tree->index ? INDEX_INNER : TABLE_INNER;
        write_page(tree->level[level], page_bytes(tree->database, number),
                   level == 0 ? LEAF_HEADER : INNER_HEADER, level == 0 ? leaf : inner, last_child);
        clear(tree->level[level]);
    }
    return number;
}

/* Puts a child and what separates it from the next one into the level above it. */
static void add_child(qc_tree *tree, uint32_t level, uint32_t child, const uint8_t *key,
                      size_t size)
{
    uint8_t cell[MAX_CELL], last[MAX_CELL] = {0};
    for (;; level++) {
        qc_database_page *page = page_of_level(tree, level);
        if (page == NULL) {
            return;
        }
        put_number(cell, child, CHILD);
        memmove(cell + CHILD, key, size);
        if (add_cell(page, INNER_HEADER, cell, CHILD + size)) {
            return;
        }
        /* The last child of a full page has no key there; that goes up. */
        size_t taken = take_cell(page, INNER_HEADER, last);
        child = end_page(tree, level, (uint32_t)get_number(last, CHILD));
        if (child == 0) {
            return;
        }
        add_cell(page, INNER_HEADER, cell, CHILD + size);
        key = last + CHILD;
        size = taken - CHILD;
    }
}

/* Puts the end of a record on pages of its own; the first of them, 0 when memory ran out. */
static uint32_t put_aside(qc_database *database, size_t from, size_t size)
{
    uint32_t first = 0, before = 0;
    while (from < size) {
        uint32_t number = new_page(database);
        if (number == 0) {
            return 0;
        }
        if (before != 0) {
            put_number(page_bytes(database, before), number, CHILD);
        }
        size_t part = size - from < PAGE - CHILD ? size - from : PAGE - CHILD;
        memcpy(page_bytes(database, number) + CHILD, database->record + from, part);
        from += part;
        before = number;
        first = first != 0 ? first : number;
    }
    return first;
}

/* Makes the cell of the record in a leaf; its size, 0 when memory ran out. */
static size_t make_cell(qc_tree *tree, uint8_t *cell, int64_t row, size_t record)
{
    size_t most = tree->index ? MAX_IN_INDEX : MAX_IN_TABLE, here = record;
    if (record > most) {
        here = LEAST_HERE + (record - LEAST_HERE) % (PAGE - CHILD);
        here = here <= most ? here : LEAST_HERE;
    }
    size_t size = put_varint(cell, record);
    size += tree->index ? 0 : put_varint(cell + size, (uint64_t)row);
    memcpy(cell + size, tree->database->record, here);
    size += here;
    if (here < record) {
        uint32_t aside = put_aside(tree->database, here, record);
        put_number(cell + size, aside, CHILD);
        size += CHILD;
    }
    return tree->database->no_memory ? 0 : size;
}

/* Ends a leaf that is full. In an index, its last entry goes up; in a table, the number of that. */
static void end_leaf(qc_tree *tree, qc_database_page *leaf)
{
    uint8_t key[MAX_CELL] = {0};
    size_t size =
        tree->index ? take_cell(leaf, LEAF_HEADER, key) : put_varint(key, (uint64_t)leaf->last);
    add_child(tree, 1, end_page(tree, 0, 0), key, size);
}

void qc_tree_add(qc_tree *tree, int64_t row, const qc_value *values, size_t count)
{
    uint8_t cell[MAX_CELL];
    qc_database_page *leaf = page_of_level(tree, 0);
    size_t record = leaf != NULL ? make_record(tree->database, values, count) : 0;
    size_t size = record != 0 ? make_cell(tree, cell, row, record) : 0;
    if (size == 0) {
        return;
    }
    if (!add_cell(leaf, LEAF_HEADER, cell, size)) {
        end_leaf(tree, leaf);
        add_cell(leaf, LEAF_HEADER, cell, size);
    }
    leaf->last = row;
}

uint32_t qc_tree_end(qc_tree *tree)
{
    uint32_t root = 0;
    if (page_of_level(tree, 0) != NULL) {
        for (uint32_t level = 0; level < tree->levels; level++) {
            root = end_page(tree, level, root);
        }
    }
    for (uint32_t level = 0; level < tree->levels; level++) {
        qc_free(tree->level[level], sizeof *tree->level[level]);
    }
    tree->levels = 0;
    return tree->database->no_memory ? 0 : root;
}

/* ---------------------------------------------------------------------------------- file */

void qc_database_begin(qc_database *database)
{
    *database = (qc_database){0};
    new_page(database);
}

void qc_database_free(qc_database *database)
{
    qc_free(database->bytes, (size_t)database->capacity * PAGE);
    qc_free(database->record, database->record_capacity);
    *database = (qc_database){0};
}

static void write_file_header(const qc_database *database)
{
    static const char magic[16] = "SQLite format 3";
    uint8_t *at = database->bytes;
    memcpy(at, magic, sizeof magic);
    put_number(at + 16, PAGE, 2);
    at[18] = at[19] = 1; /* a rollback journal, no write-ahead log */
    at[21] = 64;
    at[22] = at[23] = 32;
    put_number(at + 24, 1, 4); /* how often it was changed */
    put_number(at + 28, database->pages, 4);
    put_number(at + 40, 1, 4);       /* how often the list of tables was changed */
    put_number(at + 44, 4, 4);       /* the format of the schema */
    put_number(at + 56, 1, 4);       /* UTF-8 */
    put_number(at + 92, 1, 4);       /* as at 24: then the number of pages is right */
    put_number(at + 96, 3037000, 4); /* a version of SQLite that writes such files */
}

static qc_value text(const char *string)
{
    qc_value value = {.kind = QC_VALUE_NULL};
    if (string != NULL) {
        value = (qc_value){.kind = QC_VALUE_TEXT, .bytes = string, .size = strlen(string)};
    }
    return value;
}

bool qc_database_end(qc_database *database, const qc_database_item *items, size_t count)
{
    uint8_t cell[MAX_CELL];
    qc_tree tree;
    qc_tree_begin(&tree, database, false);
    qc_database_page *page = page_of_level(&tree, 0);
    bool fits = page != NULL;
    for (size_t i = 0; fits && i < count; i++) {
        const qc_value values[] = {text(items[i].type),
                                   text(items[i].name),
                                   text(items[i].table),
                                   {.kind = QC_VALUE_NUMBER, .number = items[i].root},
                                   text(items[i].sql)};
        size_t record = make_record(database, values, sizeof values / sizeof *values);
        fits = record != 0 && record <= MAX_IN_TABLE;
        size_t size = fits ? make_cell(&tree, cell, (int64_t)i + 1, record) : 0;
        fits = fits && add_cell(page, FILE_HEADER + LEAF_HEADER, cell, size);
    }
    if (fits) {
        write_page(page, database->bytes, FILE_HEADER + LEAF_HEADER, TABLE_LEAF, 0);
        write_file_header(database);
    }
    if (page != NULL) {
        qc_free(page, sizeof *page);
    }
    return fits && !database->no_memory;
}
