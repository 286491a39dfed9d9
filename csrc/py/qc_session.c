#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "../core/qc_pack.h"
#include "qc_probe_patch.h"
#include "qc_session.h"

/* Marks of an id. */
enum { SEEN = 1, LOGGED = 2 };

enum { FIRST_ENTRIES = 256 };

/* ------------------------------------------------------------------ the log */

/* Makes an array of zeros longer, for an index to be in it; the next power of two. */
static void *grown(void *array, uint32_t *size, uint32_t index, size_t item)
{
    uint32_t larger = *size != 0 ? *size : FIRST_ENTRIES;
    while (larger <= index) {
        larger *= 2;
    }
    char *grown_array = qc_realloc(array, *size * item, larger * item);
    if (grown_array != NULL) {
        memset(grown_array + *size * item, 0, (larger - *size) * item);
        *size = larger;
    }
    return grown_array;
}

static int make_room(qc_session *session, uint32_t id)
{
    if (id >= session->marks_size) {
        uint8_t *marks = grown(session->marks, &session->marks_size, id, 1);
        if (marks == NULL) {
            return -1;
        }
        session->marks = marks;
    }
    if (session->log_count == session->log_capacity) {
        qc_log_entry *log =
            grown(session->log, &session->log_capacity, session->log_count, sizeof *log);
        if (log == NULL) {
            return -1;
        }
        session->log = log;
    }
    return 0;
}

/* Appends a hit unless it is in the log: 1, 0, or -1 when memory ran out, which is noted. */
static inline int append(qc_session *session, uint32_t id, qc_record *record, uint32_t spot)
{
    if (QC_UNLIKELY(id >= session->marks_size || session->log_count == session->log_capacity) &&
        make_room(session, id) < 0) {
        session->failed = true;
        return -1;
    }
    uint8_t mark = session->marks[id];
    if (mark & LOGGED) {
        return 0;
    }
    if (!(mark & SEEN)) {
        session->seen++;
        session->fresh++;
    } else if (!session->rearm) {
        return 0;
    }
    session->marks[id] = SEEN | LOGGED;
    size_t size = (size_t)session->counters.len;
    ((uint8_t *)session->counters.buf)[id < size ? id : id % size] = 1;
    session->log[session->log_count++] = (qc_log_entry){record, id, spot};
    return 1;
}

void qc_session_hit(qc_session *session, qc_record *record, uint32_t unit, unsigned flag)
{
    qc_sheet *sheet = record->sheet;
    const qc_spot *spot = qc_atlas_spot(session->atlas, sheet, unit, flag);
    if (QC_UNLIKELY(spot == NULL)) {
        session->failed = true;
        return;
    }
    (void)append(session, spot->id, record, (uint32_t)(spot - sheet->spots));
}

void qc_session_fired(qc_session *session, qc_link *link, uint32_t probe)
{
    if (session->fired_count == session->fired_capacity) {
        qc_fired *fired =
            grown(session->fired, &session->fired_capacity, session->fired_count, sizeof *fired);
        if (fired == NULL) {
            session->failed = true;
            return;
        }
        session->fired = fired;
    }
    session->fired[session->fired_count++] = (qc_fired){link, probe, link->fired};
    link->fired = session->fired_count;
}

void qc_session_event(qc_session *session, uint32_t id)
{
    (void)append(session, id, NULL, 0);
}

/* ------------------------------------------------------------------ files */

/* The number in the atlas of a file of the store; -1 with an exception set. */
static int64_t number_of(qc_session *session, const qc_file *file)
{
    if (QC_LIKELY(file->id < session->numbers_size && session->numbers[file->id] != 0)) {
        return session->numbers[file->id] - 1;
    }
    if (file->id >= session->numbers_size) {
        uint32_t *numbers =
            grown(session->numbers, &session->numbers_size, file->id, sizeof *numbers);
        if (numbers == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        session->numbers = numbers;
    }
    int64_t number =
        qc_atlas_file(session->atlas, PyList_GET_ITEM(session->store->names, file->id));
    if (number >= 0) {
        session->numbers[file->id] = (uint32_t)number + 1;
    }
    return number;
}

qc_sheet *qc_session_sheet(qc_session *session, const qc_file *file, PyCodeObject *code,
                           PyObject *bytecode)
{
    int64_t number = number_of(session, file);
    return number >= 0 ? qc_atlas_sheet(session->atlas, (uint32_t)number, code, bytecode) : NULL;
}

static int way(qc_session *session, uint32_t kind, const qc_file *file, int32_t from, int32_t to)
{
    int64_t number = number_of(session, file);
    if (number < 0) {
        session->failed = true;
        return -1;
    }
    int64_t id = qc_atlas_way(session->atlas, kind, (uint32_t)number, from, to);
    int result = id >= 0 ? append(session, (uint32_t)id, NULL, 0) : -1;
    if (result < 0) {
        session->failed = true;
        PyErr_NoMemory();
    }
    return result;
}

int qc_session_line(qc_session *session, const qc_file *file, int32_t line)
{
    return way(session, QC_PLACE_LINE, file, line, 0);
}

int qc_session_arc(qc_session *session, const qc_file *file, int32_t from, int32_t to)
{
    return way(session, QC_PLACE_ARC, file, from, to);
}

int qc_session_salt(qc_session *session, uint32_t file, uint64_t salt)
{
    if (file >= session->salts_size) {
        uint64_t *salts = grown(session->salts, &session->salts_size, file, sizeof *salts);
        if (salts == NULL) {
            return -1;
        }
        session->salts = salts;
    }
    session->salts[file] = salt;
    return 0;
}

void qc_session_free(qc_session *session)
{
    qc_free(session->log, session->log_capacity * sizeof *session->log);
    qc_free(session->fired, session->fired_capacity * sizeof *session->fired);
    qc_free(session->marks, session->marks_size);
    qc_free(session->numbers, session->numbers_size * sizeof *session->numbers);
    qc_free(session->bits, session->bits_size * sizeof *session->bits);
    qc_free(session->salts, session->salts_size * sizeof *session->salts);
}

/* ------------------------------------------------------------------ seeing places again */

/* Arms the event of a spot in each living code object of its record. */
static int arm_spot(qc_session *session, qc_record *record, const qc_spot *spot)
{
#if QC_HAVE_MONITORING
    qc_link *link = record->links;
    const uint8_t *code = (uint8_t *)PyBytes_AS_STRING(record->sheet->bytecode);
    int result = 0;
    for (uint32_t left = record->twins; left > 0 && result == 0; left--) {
        if (spot->armed == QC_ARM_WHOLE ||
            !qc_code_arm(link->code, spot->at, spot->armed, code[2 * spot->at], session->tool)) {
            result = session->store->rearm != NULL
                         ? session->store->rearm(link, session->store->rearm_context)
                         : 0;
        }
        if (link->hides_line && spot->flag == QC_HIT_LINE) {
            (void)qc_code_arm_start(link->code, session->tool);
        }
        link = link->next_twin;
    }
    return result;
#else
    (void)session;
    (void)record;
    (void)spot;
    return 0;
#endif
}

/* Arms the probes that have fired, but for the first ones. */
static void renew_probes(qc_session *session, uint32_t first)
{
    for (uint32_t k = first; k < session->fired_count; k++) {
        const qc_fired *fired = &session->fired[k];
        qc_link *link = fired->link;
        if (link != NULL) {
            link->fired = fired->before <= first ? fired->before : link->fired;
            qc_twin_arm_probe(link, fired->probe);
        }
    }
    session->fired_count = first;
}

/* Makes what stands in the log visible again, place by place, but for the first entries.
 * Backwards, so that several events of one instruction are put back in the order in which they lie
 * on each other. */
static int renew_places(qc_session *session, uint32_t first)
{
    int result = 0;
    for (uint32_t k = session->log_count; k-- > first;) {
        const qc_log_entry *entry = &session->log[k];
        qc_record *record = entry->record;
        if (record == NULL) {
            continue;
        }
        const qc_spot *spot = &record->sheet->spots[entry->spot];
        record->hits.bytes[spot->unit] &= (uint8_t)~spot->flag;
        if (!session->probed && spot->armed != QC_ARM_NOTHING && result == 0) {
            result = arm_spot(session, record, spot);
        }
    }
    return result;
}

/* Takes what came after a span out of the log, and lets it be seen again. */
static int rewind_to(qc_session *session, qc_span span)
{
    qc_store *store = session->store;
    int result = 0;
    if (session->rearm && session->traced) {
        store->round = qc_codemap_epoch(store->map);
    } else if (session->rearm && (session->in_place || session->probed)) {
        result = renew_places(session, span.logged);
        renew_probes(session, span.fired);
    } else if (session->rearm) {
        result = qc_records_renew(&store->records, NULL, store->rearm, store->rearm_context);
    }
    for (uint32_t k = span.logged; k < session->log_count; k++) {
        session->marks[session->log[k].id] &= (uint8_t)~LOGGED;
    }
    session->log_count = span.logged;
    session->fresh = span.fresh;
    return result;
}

int qc_session_begin(qc_session *session)
{
    session->paused = false;
    return rewind_to(session, (qc_span){0});
}

qc_span qc_session_span(const qc_session *session)
{
    qc_span span = {session->log_count, session->fired_count, session->fresh};
    return session->paused ? session->pause : span;
}

void qc_session_pause(qc_session *session)
{
    session->pause = qc_session_span(session);
    session->paused = true;
}

int qc_session_resume(qc_session *session)
{
    bool clean = !session->paused || (session->log_count == session->pause.logged &&
                                      session->fired_count == session->pause.fired);
    session->paused = false;
    return clean ? 0 : rewind_to(session, session->pause);
}

void qc_session_forget(qc_session *session, const qc_record *record)
{
    for (uint32_t k = 0; k < session->log_count; k++) {
        if (session->log[k].record == record) {
            session->log[k].record = NULL;
        }
    }
}

void qc_session_forget_link(qc_session *session, qc_link *link)
{
    for (uint32_t k = link->fired; k > 0; k = session->fired[k - 1].before) {
        session->fired[k - 1].link = NULL;
    }
}

/* ------------------------------------------------------------------ questions */

void qc_session_sort(qc_session *session, uint32_t *ids, size_t count)
{
    uint32_t words = session->marks_size / 64; /* a power of two above 64 */
    if (words > session->bits_size) {
        uint64_t *bits = grown(session->bits, &session->bits_size, words - 1, sizeof *bits);
        session->bits = bits != NULL ? bits : session->bits;
    }
    bool enough = session->bits_size >= words;
    qc_pack_sort_ids(ids, count, enough ? session->bits : NULL, words);
}

bool qc_session_has_seen(const qc_session *session, uint32_t id)
{
    return id < session->marks_size && session->marks[id] & SEEN;
}

uint64_t qc_session_fingerprint(const qc_session *session, qc_ids ids)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < ids.count; k++) {
        const qc_place *place = qc_places_get(&session->atlas->places, ids.items[k]);
        uint64_t salt = 0;
        if (place->kind != QC_PLACE_EVENT) {
            uint32_t file = place->kind == QC_PLACE_UNIT
                                ? session->atlas->sheets[place->owner]->file
                                : place->owner;
            salt = file < session->salts_size ? session->salts[file] : 0;
        }
        sum += qc_places_mix(place->hash + salt);
    }
    return sum;
}
