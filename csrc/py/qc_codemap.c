#include "qc_compat.h"

#include "../core/qc_mem.h"
#include "qc_codemap.h"
#include "qc_probe_bell.h"
#include "qc_probe_twin.h"
#include "qc_record.h"
#include "qc_trace_record.h"

/* Called by CPython when a code object dies, also at the very end of the interpreter. */
static void on_code_death(void *extra)
{
    qc_link *link = extra;
    if (link == NULL) {
        return;
    }
    qc_codemap *map = link->map;
    qc_record_detach(link);
    qc_trace_record_free(link->trace);
    if (link->twin != NULL) {
        qc_bells_leave(map, link->code->co_consts);
    }
    qc_bell_free(link);
    PyCodeObject *original = qc_twin_free(link);
    if (link->prev != NULL) {
        link->prev->next = link->next;
    } else {
        map->links = link->next;
    }
    if (link->next != NULL) {
        link->next->prev = link->prev;
    }
    map->link_count--;
    qc_free(link, sizeof *link);
    qc_codemap_release(map);
    Py_XDECREF(original);
}

qc_codemap *qc_codemap_new(void)
{
    qc_codemap *map = qc_calloc(1, sizeof *map);
    if (map == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    map->references = 1;
    map->next_epoch = 1;
    map->extra_index = qc_code_request_extra_index(on_code_death);
    if (map->extra_index < 0) {
        PyErr_SetString(PyExc_RuntimeError, "quickcover: CPython has no co_extra slot left");
        qc_codemap_release(map);
        return NULL;
    }
    return map;
}

qc_codemap *qc_codemap_hold(qc_codemap *map)
{
    map->references++;
    return map;
}

void qc_codemap_release(qc_codemap *map)
{
    if (--map->references == 0) {
        qc_free(map, sizeof *map);
    }
}

qc_link *qc_codemap_get(qc_codemap *map, PyCodeObject *code)
{
    qc_link *link = qc_codemap_find(map, code);
    if (link != NULL) {
        return link;
    }
    link = qc_calloc(1, sizeof *link);
    if (link == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (qc_code_set_extra(code, map->extra_index, link) < 0) {
        qc_free(link, sizeof *link);
        return NULL;
    }
    link->map = qc_codemap_hold(map);
    link->code = code;
    link->prev_twin = link->next_twin = link;
    link->next = map->links;
    if (link->next != NULL) {
        link->next->prev = link;
    }
    map->links = link;
    map->link_count++;
    return link;
}

int qc_codemap_each(qc_codemap *map, int (*visit)(qc_link *link, void *context), void *context)
{
    qc_link *link = map->links;
    int result = 0;
    Py_XINCREF(link != NULL ? link->code : NULL);
    while (link != NULL) {
        if (result == 0) {
            result = visit(link, context);
        }
        /* Hold the next code object before letting this one go: it may hold the next. */
        qc_link *next = link->next;
        Py_XINCREF(next != NULL ? next->code : NULL);
        Py_DECREF(link->code);
        link = next;
    }
    return result;
}
