/* From hits to lines and arcs.
 *
 * A hit says "the line event at this unit", "the left (next) or right (jump) side of this branch"
 * or "the return at this unit". coverage.py wants lines, or arcs between lines. The arc of a hit
 * is found by following the bytecode from there to the first line event on another line, which
 * must have been hit too: an exception may have come between. This is done when data is drained,
 * once for each record with new hits; nothing of it happens while the measured program runs.
 *
 * Functions allocate through qc_mem only and run no Python.
 */
#ifndef QC_FLOW_H
#define QC_FLOW_H

#include "../core/qc_filetab.h"
#include "../core/qc_hits.h"
#include "qc_bytecode.h"

/* More bits of a hit byte. QC_HIT_UNWIND: an exception raised here left the code object.
 * QC_HIT_PASSED: this jump was taken; a suspended frame went on at this RESUME; or, at any other
 * instruction, the frame was here when an exception, raised again, left the code object. */
enum { QC_HIT_UNWIND = 16, QC_HIT_PASSED = 32 };

/* Facts of a unit that stand in its hit byte for good. QC_MARK_HANDLER: its line event may mean
 * that an exception was caught. QC_MARK_PROOF: a jump that ends what stands behind a condition on
 * the same line, as in `if a: f()`; that may have been left by an exception, so only QC_HIT_PASSED
 * shows that the jump's target was reached from here. So does what stores a class. */
enum { QC_MARK_HANDLER = 64, QC_MARK_PROOF = 128, QC_MARKS = QC_MARK_HANDLER | QC_MARK_PROOF };

/* Sets the marks. Returns those that were set anywhere, or -1 when memory ran out. */
int qc_flow_mark(const qc_codeview *view, qc_hits *hits);

/* Does an exception at `unit` land in the handler whose line begins at `handler`? */
int qc_flow_lands(const qc_codeview *view, uint32_t unit, uint32_t handler);

/* 1 when `arcs` has an arc to `line` from every line that may raise to the handler whose line
 * begins at `handler`; else 0. -1 when memory ran out. */
int qc_flow_all_landed(const qc_codeview *view, uint32_t handler, int32_t line,
                       const qc_arcset *arcs);

/* The unit whose instruction brings the event of this flag; QC_NO_UNIT when that event can't be
 * switched off, or comes from elsewhere. */
enum { QC_NO_UNIT = -1 };
int64_t qc_flow_event_unit(const qc_codeview *view, uint32_t unit, unsigned flag);

/* Adds the arcs that these flags of one unit mean when nothing is raised on the way. 0, or -1 when
 * memory ran out. */
int qc_flow_place(const qc_codeview *view, uint32_t unit, unsigned flags, qc_arcset *arcs);

/* Adds what `hits` says to the file's lines. 0, or -1 when memory ran out (some may be added). */
int qc_flow_lines(const qc_codeview *view, const qc_hits *hits, qc_file *file);

/* Adds what `hits` says to the file's arcs: those of branch sides, of returns, the straight way on
 * from each line, and (n, n) for a line that is in none of these. 0, or -1 when memory ran out. */
int qc_flow_arcs(const qc_codeview *view, const qc_hits *hits, qc_file *file);

/* The same for some of the hits alone: `flags` has a byte for each unit. What an arc leads to may
 * be any of `hits`. */
int qc_flow_arcs_of(const qc_codeview *view, const qc_hits *hits, const uint8_t *flags,
                    qc_file *file);

/* 1 when nothing new can come from this code: every run of units with a line of its own and,
 * with `branches`, every side of every branch was hit. May answer 0 too often, never 1 wrongly.
 * -1 when memory ran out. */
int qc_flow_complete(const qc_codeview *view, const qc_hits *hits, int branches);

#endif
