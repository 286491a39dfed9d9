/*
 * Threads over the core, as the extension uses it: what is shared is changed under one lock (there
 * the GIL), each thread has structures of its own besides, and only the allocator is used without
 * a lock. Records are made in one thread, hit in another and freed in a third, with pauses inside
 * and outside the lock that force interleavings. Meant for ThreadSanitizer (`make tsan`).
 */
#define _POSIX_C_SOURCE 200809L

#include "qc_filetab.h"
#include "qc_hits.h"
#include "qc_pack.h"
#include "qc_places.h"
#include "qc_table.h"
#include "qc_test.h"

#if defined(__unix__) || defined(__APPLE__)

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 400, SLOTS = 64, UNITS = 40, FILES = 8 };

/* What all threads share; `lock` stands for the GIL. */
typedef struct shared {
    pthread_mutex_t lock;
    qc_filetab files;
    qc_journal journal;
    qc_table table;
    qc_places places;
    uint64_t hits, forgotten; /* that were new; that went with a record or with a start */
} shared;

typedef struct worker {
    shared *all;
    uint64_t random; /* state of its own: test_random is for the main thread alone */
    uint32_t number;
    bool broken;
} worker;

static uint32_t draw(worker *self, uint32_t n)
{
    self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(self->random >> 33) % n;
}

/* Sometimes lets others go first. */
static void interleave(worker *self)
{
    switch (draw(self, 16)) {
    case 0:
        sched_yield();
        break;
    case 1: {
        struct timespec pause = {0, 1000 * (long)draw(self, 200)};
        nanosleep(&pause, NULL);
        break;
    }
    default:
        break;
    }
}

/* A code object is met: its record is found, or made. NULL: no memory. Under the lock. */
static qc_hits *meet(shared *all, qc_key key)
{
    qc_hits *hits = qc_table_find(&all->table, key);

    if (hits != NULL || (hits = qc_malloc(sizeof *hits)) == NULL) {
        return hits;
    }
    if (qc_hits_init(hits, &all->journal, UNITS) < 0) {
        qc_free(hits, sizeof *hits);
        return NULL;
    }
    if (qc_table_insert(&all->table, key, hits) < 0) {
        qc_hits_free(hits);
        qc_free(hits, sizeof *hits);
        return NULL;
    }
    return hits;
}

/* It runs: some units are hit; what is new goes to the file, too. Under the lock. */
static void run(worker *self, qc_hits *hits, uint32_t slot)
{
    qc_file *file = qc_filetab_get(&self->all->files, slot % FILES);

    for (int i = 0; i < 5; i++) {
        uint32_t unit = draw(self, UNITS);
        qc_place place = {.kind = 0, .owner = slot, .a = (int32_t)unit};

        /* Below 0: it is set, but there was no memory to note which one it is. */
        if (qc_hits_mark(hits, &self->all->journal, unit, QC_HIT_LINE) != 0) {
            self->all->hits++;
            qc_lineset_add(&file->lines, (int32_t)(slot * UNITS + unit));
            qc_arcset_add(&file->arcs, qc_arc_pack((int32_t)slot, (int32_t)unit));
            qc_places_add(&self->all->places, &place);
        }
    }
}

/* A code object dies: its record goes. Returned to be freed without the lock. Under the lock. */
static qc_hits *die(shared *all, qc_key key)
{
    qc_hits *hits = qc_table_remove(&all->table, key);

    for (uint32_t unit = 0; hits != NULL && unit < UNITS; unit++) {
        all->forgotten += qc_hits_has(hits, unit, QC_HIT_LINE);
    }
    return hits;
}

/* A start: every place is seen again. Under the lock. */
static void renew(shared *all)
{
    uint32_t cursor = 0;
    qc_key key;
    void *value;

    while (qc_table_next(&all->table, &cursor, &key, &value)) {
        for (uint32_t unit = 0; unit < UNITS; unit++) {
            all->forgotten += qc_hits_has(value, unit, QC_HIT_LINE);
        }
        qc_hits_clear(value);
    }
    qc_journal_clear(&all->journal);
    qc_filetab_clear_hits(&all->files);
}

/* Beside the shared: sets that one thread alone has, without a lock. */
static bool use_own(worker *self)
{
    qc_lineset lines;
    bool good;

    qc_lineset_init(&lines);
    for (int i = 0; i < 20; i++) {
        qc_lineset_add(&lines, (int32_t)draw(self, 5000));
    }
    good = qc_lineset_check(&lines, NULL) && lines.count <= 20;
    qc_lineset_free(&lines);
    return good;
}

static void *work(void *arg)
{
    worker *self = arg;
    shared *all = self->all;

    for (int round = 0; round < ROUNDS; round++) {
        uint32_t slot = draw(self, SLOTS);
        qc_key key = {slot, slot * UINT64_C(77)};
        qc_hits *hits, *dead = NULL;

        pthread_mutex_lock(&all->lock);
        hits = meet(all, key);
        interleave(self);
        if (hits != NULL) {
            run(self, hits, slot);
        }
        if (draw(self, 4) == 0) {
            dead = die(all, key);
        }
        if (draw(self, 100) == 0) {
            renew(all);
        }
        pthread_mutex_unlock(&all->lock);
        interleave(self);
        if (dead != NULL) {
            qc_hits_free(dead);
            qc_free(dead, sizeof *dead);
        }
        self->broken = self->broken || !use_own(self);
    }
    return NULL;
}

static void shared_init(shared *all)
{
    *all = (shared){.hits = 0};
    pthread_mutex_init(&all->lock, NULL);
    qc_filetab_init(&all->files);
    qc_journal_init(&all->journal);
    qc_table_init(&all->table);
    qc_places_init(&all->places);
    for (int i = 0; i < FILES; i++) {
        CHECK(qc_filetab_add(&all->files) != NULL);
    }
}

/* Every hit that was new is still in its record, or was forgotten with it. */
static void shared_check_and_free(shared *all)
{
    uint64_t left = 0;

    CHECK(qc_filetab_check(&all->files, NULL));
    CHECK(qc_journal_check(&all->journal, NULL));
    CHECK(qc_table_check(&all->table, NULL));
    CHECK(qc_places_check(&all->places, NULL));
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        qc_hits *hits = qc_table_remove(&all->table, (qc_key){slot, slot * UINT64_C(77)});

        for (uint32_t unit = 0; hits != NULL && unit < UNITS; unit++) {
            left += qc_hits_has(hits, unit, QC_HIT_LINE);
        }
        if (hits != NULL) {
            qc_hits_free(hits);
            qc_free(hits, sizeof *hits);
        }
    }
    CHECK_EQ(left + all->forgotten, all->hits);
    CHECK_EQ(qc_table_count(&all->table), 0);
    qc_places_free(&all->places);
    qc_table_free(&all->table);
    qc_journal_free(&all->journal);
    qc_filetab_free(&all->files);
    pthread_mutex_destroy(&all->lock);
}

static void start_workers(worker *workers, pthread_t *threads, shared *all)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.all = all, .number = i, .random = test_random()};
        CHECK_EQ(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
}

static void join_workers(worker *workers, pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK(!workers[i].broken);
    }
}

static void threads_share_under_a_lock(void)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    shared all;

    shared_init(&all);
    start_workers(workers, threads, &all);
    join_workers(workers, threads);
    CHECK(all.hits > 0);
    shared_check_and_free(&all);
    CHECK_EQ(qc_mem_bytes(), 0);
}

/* As before, while allocations fail now and then. */
static void threads_out_of_memory(void)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    shared all;

    shared_init(&all);
    start_workers(workers, threads, &all);
    for (int i = 0; i < 50; i++) {
        struct timespec pause = {0, 200000};

        qc_mem_fail_after(1 + (long)test_below(20));
        nanosleep(&pause, NULL);
    }
    join_workers(workers, threads);
    qc_mem_fail_after(0);
    shared_check_and_free(&all);
    CHECK_EQ(qc_mem_bytes(), 0);
}

/* A process forks while it holds the lock, as with the GIL: the child finds all in order. */
static void a_fork_amid_threads(void)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    shared all;

    shared_init(&all);
    start_workers(workers, threads, &all);
    for (int i = 0; i < 10; i++) {
        struct timespec pause = {0, 500000};
        int status = -1;
        pid_t child;

        nanosleep(&pause, NULL);
        pthread_mutex_lock(&all.lock);
        child = fork();
        if (child == 0) {
            bool good = qc_table_check(&all.table, NULL) && qc_journal_check(&all.journal, NULL) &&
                        qc_filetab_check(&all.files, NULL) && qc_places_check(&all.places, NULL);
            renew(&all);
            _exit(good && all.journal.count == 0 ? 0 : 1);
        }
        pthread_mutex_unlock(&all.lock);
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK_EQ(status, 0);
    }
    join_workers(workers, threads);
    shared_check_and_free(&all);
    CHECK_EQ(qc_mem_bytes(), 0);
}

#endif

int main(void)
{
#if defined(__unix__) || defined(__APPLE__)
    RUN(threads_share_under_a_lock);
    RUN(threads_out_of_memory);
    RUN(a_fork_amid_threads);
#endif
    return test_report();
}
