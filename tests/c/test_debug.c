/* A broken structure aborts a debug build at the next mutation; each abort gets its own process. */
#if defined(__unix__) || defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#define HAVE_FORK 1
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "qc_debug.h"
#include "qc_filetab.h"
#include "qc_hits.h"
#include "qc_table.h"
#include "qc_test.h"

static void checks_are_amortised(void)
{
    int due = 0;

    for (size_t n = 0; n < 1 << 20; n++) {
        due += qc_debug_due(n);
    }
    CHECK(qc_debug_due(0) && qc_debug_due(16) && !qc_debug_due(17) && qc_debug_due(1 << 19));
    CHECK(due < 50);
}

static void reasons_are_optional(void)
{
    const char *reason = "";

    CHECK(!qc_debug_broken(NULL, "some reason"));
    CHECK(!qc_debug_broken(&reason, "some reason"));
    CHECK(strcmp(reason, "some reason") == 0);
}

#ifdef HAVE_FORK

static bool aborts(void (*run)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        /* The message is expected, and so is the signal. */
        if (freopen("/dev/null", "w", stderr) != NULL) {
            run();
        }
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

static void fail(void)
{
    qc_debug_fail("test", "on purpose");
}

static void a_failed_check_aborts(void)
{
    CHECK(aborts(fail));
}

#ifdef QC_DEBUG

static void break_arcset(void)
{
    qc_arcset set;

    qc_arcset_init(&set);
    qc_arcset_add(&set, 1);
    set.items[0] = 2;
    qc_arcset_add(&set, 3);
}

static void break_lineset(void)
{
    qc_lineset set;

    qc_lineset_init(&set);
    qc_lineset_add(&set, 1);
    set.items[0] = 2;
    qc_lineset_add(&set, 3);
}

static void break_filetab(void)
{
    qc_filetab tab;

    qc_filetab_init(&tab);
    qc_filetab_add(&tab)->id = 7;
    qc_filetab_add(&tab);
}

static void break_hits(void)
{
    qc_journal journal;
    qc_hits hits;

    qc_journal_init(&journal);
    if (qc_hits_init(&hits, &journal, 4) == 0) {
        hits.bytes[3] = 128;
        qc_hits_mark(&hits, &journal, 0, QC_HIT_LINE);
    }
}

static void break_journal(void)
{
    qc_journal journal;
    qc_hits hits;

    qc_journal_init(&journal);
    if (qc_hits_init(&hits, &journal, 4) == 0) {
        journal.next_base = 0;
        qc_hits_mark(&hits, &journal, 0, QC_HIT_LINE);
    }
}

static void break_table(void)
{
    qc_table table;
    uint32_t slot = 0;

    qc_table_init(&table);
    qc_table_insert(&table, (qc_key){1, 1}, &table);
    while (table.slots[slot].value == NULL) {
        slot++;
    }
    table.slots[slot].value = NULL;
    qc_table_insert(&table, (qc_key){2, 2}, &table);
}

static void mutations_check_their_structure(void)
{
    CHECK(aborts(break_arcset));
    CHECK(aborts(break_lineset));
    CHECK(aborts(break_filetab));
    CHECK(aborts(break_hits));
    CHECK(aborts(break_journal));
    CHECK(aborts(break_table));
}

#endif
#endif

int main(void)
{
    RUN(checks_are_amortised);
    RUN(reasons_are_optional);
#ifdef HAVE_FORK
    RUN(a_failed_check_aborts);
#ifdef QC_DEBUG
    RUN(mutations_check_their_structure);
#endif
#endif
    return test_report();
}
