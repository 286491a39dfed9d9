#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "../core/qc_pack.h"
#include "qc_flow.h"
#include "qc_probe_layout.h"
#include "qc_probe_twin.h"
#include "qc_record.h"
#include "qc_session.h"

enum {
    MAX_DEAD = 2 << 20,    /* bytes of records kept without living code */
    CHECK_COMPLETE_AT = 2, /* the first duplicate; then at each doubling */
};

void qc_records_init(qc_records *records, qc_codemap *map, bool branch)
{
    memset(records, 0, sizeof *records);
    records->map = map;
    records->branch = branch;
    qc_table_init(&records->table);
}

qc_codeview qc_record_view(const qc_record *record)
{
    qc_codeview view = {
        .code = record->bytecode ? (uint8_t *)PyBytes_AS_STRING(record->bytecode) : NULL,
        .units = record->hits.units,
        .linetable = (uint8_t *)PyBytes_AS_STRING(record->linetable),
        .linetable_size = (size_t)PyBytes_GET_SIZE(record->linetable),
        .exceptions = (uint8_t *)PyBytes_AS_STRING(record->exceptions),
        .exceptions_size = (size_t)PyBytes_GET_SIZE(record->exceptions),
        .first_line = record->first_line,
    };
    return view;
}

/* ------------------------------------------------------------------ lists */

/* Bytes that a record takes, about. */
static size_t record_size(const qc_record *record)
{
    size_t model = record->model != NULL ? qc_model_bytes(record->model) : 0;
    return sizeof *record + record->hits.units * (record->bytecode != NULL ? 3 : 1) + model;
}

static void dead_push(qc_records *records, qc_record *record)
{
    record->next_dead = NULL;
    record->prev_dead = records->newest_dead;
    if (records->newest_dead != NULL) {
        records->newest_dead->next_dead = record;
    } else {
        records->oldest_dead = record;
    }
    records->newest_dead = record;
    records->dead_bytes += record_size(record);
}

static void dead_remove(qc_records *records, qc_record *record)
{
    qc_record **from_prev =
        record->prev_dead ? &record->prev_dead->next_dead : &records->oldest_dead;
    qc_record **from_next =
        record->next_dead ? &record->next_dead->prev_dead : &records->newest_dead;
    *from_prev = record->next_dead;
    *from_next = record->prev_dead;
    record->prev_dead = record->next_dead = NULL;
    records->dead_bytes -= record_size(record);
}

static void touched_push(qc_records *records, qc_record *record)
{
    record->touched = true;
    record->prev_touched = NULL;
    record->next_touched = records->touched;
    if (records->touched != NULL) {
        records->touched->prev_touched = record;
    }
    records->touched = record;
}

static void touched_remove(qc_records *records, qc_record *record)
{
    if (record->prev_touched != NULL) {
        record->prev_touched->next_touched = record->next_touched;
    } else {
        records->touched = record->next_touched;
    }
    if (record->next_touched != NULL) {
        record->next_touched->prev_touched = record->prev_touched;
    }
    record->touched = false;
}

/* ------------------------------------------------------------------ life and death */

static void record_free(qc_record *record)
{
    qc_records *records = record->owner;
    if (record->touched) {
        touched_remove(records, record);
    }
    records->units -= record->hits.units;
    records->map->record_count--;
    if (records->session != NULL) {
        qc_session_forget(records->session, record);
    }
    for (uint32_t k = 0; k < QC_LANDINGS_KEPT; k++) {
        if (records->landings[k].record == record) {
            records->landings[k].record = NULL;
        }
    }
    qc_hits_free(&record->hits);
    Py_CLEAR(record->bytecode);
    Py_CLEAR(record->linetable);
    Py_CLEAR(record->exceptions);
    if (record->quiet != NULL) {
        qc_free(record->quiet, (record->quiet[0] + 1) * sizeof *record->quiet);
    }
    qc_model_free(record->model);
    qc_free(record, sizeof *record);
}

/* Drops the oldest records without living code; their hits go to their files first. */
static void records_trim(qc_records *records)
{
    if (records->dead_bytes <= MAX_DEAD || qc_records_drain(records) < 0) {
        return;
    }
    while (records->dead_bytes > MAX_DEAD / 2) {
        qc_record *record = records->oldest_dead;
        dead_remove(records, record);
        qc_table_remove(&records->table, record->key);
        record_free(record);
    }
}

void qc_records_free(qc_records *records)
{
    void *value;
    uint32_t cursor = 0;
    while (qc_table_next(&records->table, &cursor, NULL, &value)) {
        qc_record *record = value;
        while (record->links != NULL) {
            qc_record_detach(record->links);
        }
    }
    cursor = 0;
    while (qc_table_next(&records->table, &cursor, NULL, &value)) {
        record_free(value);
    }
    qc_table_free(&records->table);
}

static uint64_t object_hash(PyObject *object)
{
    return object == NULL ? 0 : (uint64_t)PyObject_Hash(object);
}

static qc_key make_key(const qc_record *probe)
{
    uint64_t parts[] = {
        probe->file->id,
        (uint64_t)probe->first_line,
        object_hash(probe->linetable),
        object_hash(probe->bytecode),
        object_hash(probe->exceptions),
    };
    qc_key key = {qc_pack_hash(parts, sizeof parts, 1), qc_pack_hash(parts, sizeof parts, 2)};
    return key;
}

static qc_record *record_new(qc_records *records, const qc_record *probe)
{
    qc_record *record = qc_malloc(sizeof *record);
    if (record == NULL) {
        return NULL;
    }
    *record = *probe;
    record->hits.bytes = qc_calloc(record->hits.units, 1);
    qc_codeview view = qc_record_view(record);
    int marks = record->hits.bytes == NULL ? -1
                : records->branch          ? qc_flow_mark(&view, &record->hits)
                                           : 0;
    if (marks < 0 || qc_table_insert(&records->table, record->key, record) < 0) {
        qc_hits_free(&record->hits);
        qc_free(record, sizeof *record);
        return NULL;
    }
    record->marks = (uint8_t)marks;
    Py_XINCREF(record->bytecode);
    Py_INCREF(record->linetable);
    Py_INCREF(record->exceptions);
    records->units += record->hits.units;
    records->map->record_count++;
    return record;
}

static void ring_add(qc_record *record, qc_link *link)
{
    if (record->links != NULL) {
        link->next_twin = record->links;
        link->prev_twin = record->links->prev_twin;
        link->prev_twin->next_twin = link;
        link->next_twin->prev_twin = link;
    }
    record->links = link;
    record->twins++;
    record->attached++;
}

int qc_record_attach(qc_records *records, qc_link *link, qc_file *file)
{
    PyCodeObject *code = link->twin != NULL ? link->twin->original : link->code;
    qc_record probe = {
        .owner = records,
        .hits.units = qc_code_units(code),
        .file = file,
        .linetable = code->co_linetable,
        .exceptions = code->co_exceptiontable,
        .first_line = code->co_firstlineno,
    };
    records_trim(records);
    qc_session *session = records->session;
    if ((records->branch || session != NULL) && (probe.bytecode = PyCode_GetCode(code)) == NULL) {
        return -1;
    }
    probe.key = make_key(&probe);
    qc_record *record = qc_table_find(&records->table, probe.key);
    if (record == NULL && (session == NULL || (probe.sheet = qc_session_sheet(
                                                   session, file, code, probe.bytecode)) != NULL)) {
        record = record_new(records, &probe);
    }
    Py_XDECREF(probe.bytecode);
    if (record == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        return -1;
    }
    if (record->links == NULL && record->attached > 0) {
        dead_remove(records, record);
    }
    ring_add(record, link);
    link->record = record;
    return 0;
}

void qc_record_detach(qc_link *link)
{
    qc_record *record = link->record;
    if (record == NULL) {
        return;
    }
    if (record->owner->session != NULL) {
        qc_session_forget_link(record->owner->session, link);
    }
    link->fired = 0; /* the session may have gone first */
    link->next_twin->prev_twin = link->prev_twin;
    link->prev_twin->next_twin = link->next_twin;
    record->links = link->next_twin == link ? NULL : link->next_twin;
    link->next_twin = link->prev_twin = link;
    link->record = NULL;
    link->armed = false;
    record->twins--;
    if (record->links == NULL) {
        dead_push(record->owner, record);
    }
}

/* ------------------------------------------------------------------ hits */

void qc_record_first_hit(qc_record *record, uint32_t unit, unsigned flag)
{
    record->hits.bytes[unit] |= (uint8_t)flag;
    record->dirty = true;
    if (!record->touched) {
        touched_push(record->owner, record);
    }
    if (record->owner->session != NULL) {
        qc_session_hit(record->owner->session, record, unit, flag);
    }
}

/* Looking a line up walks CPython's table from its beginning, and exceptions tend to come again. */
static qc_landing *landing_of(qc_record *record, PyCodeObject *code, int lasti, uint32_t unit)
{
    uint32_t mixed = (uint32_t)((uintptr_t)record >> 6) ^ unit ^ ((uint32_t)lasti >> 1) * 7;
    qc_landing *landing = &record->owner->landings[mixed & (QC_LANDINGS_KEPT - 1)];
    if (landing->record != record || landing->unit != unit || landing->lasti != lasti) {
        qc_codeview view = qc_record_view(record);
        bool lands = lasti >= 0 && qc_flow_lands(&view, (uint32_t)lasti / 2, unit);
        *landing = (qc_landing){.record = record,
                                .unit = unit,
                                .lasti = lasti,
                                .from = lands ? PyCode_Addr2Line(code, lasti) : -1,
                                .line = PyCode_Addr2Line(code, 2 * (int)unit)};
    }
    return landing;
}

bool qc_record_landing(qc_record *record, PyCodeObject *code, int lasti, uint32_t unit)
{
    const qc_landing *landing = landing_of(record, code, lasti, unit);
    int from = landing->from, line = landing->line;
    int added = 0;
    qc_session *session = record->owner->session;
    if (from >= 0) {
        added = qc_arcset_add(&record->file->arcs, qc_arc_pack(from, line));
        record->owner->failed |= added < 0;
    }
    if (session != NULL && session->rearm) {
        /* Each example has its own exceptions, and another may come any time. */
        if (from >= 0 && qc_session_arc(session, record->file, from, line) < 0) {
            PyErr_Clear(); /* the session knows */
        }
        return true;
    }
    if (session != NULL && added > 0 && qc_session_arc(session, record->file, from, line) < 0) {
        PyErr_Clear();
    }
    /* Other code may have shown the last arc that is missing: so look now and then, too. */
    uint32_t known = record->known_landings = added > 0 ? 0 : record->known_landings + 1;
    qc_codeview view = qc_record_view(record);
    return (known & (known - 1)) != 0 ||
           qc_flow_all_landed(&view, unit, line, &record->file->arcs) <= 0;
}

bool qc_record_has_jump(const qc_record *record, uint32_t unit)
{
    if (unit >= record->hits.units || record->bytecode == NULL) {
        return false;
    }
    qc_flow_kind flow = qc_opcode_flow((uint8_t)PyBytes_AS_STRING(record->bytecode)[2 * unit]);
    return flow == QC_FLOW_BRANCH || flow == QC_FLOW_BRANCH_BACK;
}

bool qc_records_see_again(const qc_records *records)
{
    return records->session != NULL && records->session->rearm;
}

bool qc_record_is_complete(qc_record *record)
{
    /* Looked at when the 2nd, 4th, 8th ... duplicate comes: most code has none. */
    uint32_t n = record->attached;
    if (qc_records_see_again(record->owner)) {
        return false;
    }
    if (!record->complete && n >= CHECK_COMPLETE_AT && (n & (n - 1)) == 0) {
        qc_codeview view = qc_record_view(record);
        record->complete = qc_flow_complete(&view, &record->hits, record->owner->branch) > 0;
    }
    return record->complete;
}

int qc_records_drain(qc_records *records)
{
    for (qc_record *record = records->touched; record != NULL; record = record->next_touched) {
        if (!record->dirty) {
            continue;
        }
        qc_codeview view = qc_record_view(record);
        int result = records->branch ? qc_flow_arcs(&view, &record->hits, record->file)
                                     : qc_flow_lines(&view, &record->hits, record->file);
        if (result < 0) {
            records->failed = true;
            return -1;
        }
        record->dirty = false;
    }
    return 0;
}

/* Calls a function for each living code object of a record; they may die meanwhile. */
static int each_twin(qc_record *record, qc_link_function function, void *context)
{
    int result = 0;
    qc_link *link = record->links;
    Py_XINCREF(link != NULL ? link->code : NULL);
    for (uint32_t left = record->twins; left > 0; left--) {
        if (result == 0) {
            result = function(link, context);
        }
        /* Hold the next code object before letting this one go. */
        qc_link *next = link->next_twin;
        Py_INCREF(next->code);
        Py_DECREF(link->code);
        link = next;
    }
    Py_XDECREF(link != NULL ? link->code : NULL);
    return result;
}

int qc_records_renew(qc_records *records, qc_link_function arm_hits, qc_link_function rearm,
                     void *context)
{
    int result = 0;
    while (records->touched != NULL) {
        qc_record *record = records->touched;
        touched_remove(records, record);
        bool armed = arm_hits != NULL && each_twin(record, arm_hits, context) == 0;
        for (uint32_t unit = 0; unit < record->hits.units; unit++) {
            record->hits.bytes[unit] &= QC_MARKS;
        }
        record->known_landings = 0;
        record->dirty = record->complete = false;
        record->attached = record->twins > 0 ? 1 : record->attached;
        if (!armed && rearm != NULL && result == 0) {
            result = each_twin(record, rearm, context);
        }
    }
    return result;
}
