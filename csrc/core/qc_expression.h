/*
 * qc_expression: what two kinds of expressions say, judged by their tokens: tests that are constant
 * when they are compiled, and patterns that match whatever there is. As coverage.py judges them
 * by their trees.
 *
 * Threads: pure functions of their arguments.
 */
#ifndef QC_EXPRESSION_H
#define QC_EXPRESSION_H

#include "qc_lex.h"
#include "qc_outline.h"

enum { QC_CONSTANT_UNSURE = -1 };

/* Is the expression of tokens from `from` to before `to` made of constants, "not", "and", "or" and
 * brackets alone? Returns a qc_constant, or QC_CONSTANT_UNSURE: it may be, of odd ones. */
int qc_expression_constant(const qc_lex *lex, uint32_t from, uint32_t to, bool debug);

/* Does a pattern match whatever there is? */
bool qc_pattern_irrefutable(const qc_lex *lex, uint32_t from, uint32_t to);

#endif
