"""The differences that are known and understood, each with its reason. Keep it short."""

from __future__ import annotations

_NO_LINE = (
    "3.14+: when an exception leaves a frame through an instruction without a line, ctrace takes"
    " the missing line, -1, for one: arcs (line, -1) and (-1, -first) instead of (line, -first)"
)
_NEVER_BEGUN = (
    "3.14+: an exception thrown into a generator that was never started is no call to ctrace,"
    " because the frame stands before its first RESUME; no line is concerned"
)

# Programs for which ctrace's raw arcs are not what its own definition says. Reports agree.
CTRACE_ERRS = {
    "generators.generator_throw_before_start": _NEVER_BEGUN,
    "groups.except_star": _NO_LINE,
    "groups.except_star_plain_exception": _NO_LINE,
    "groups.except_star_raises": _NO_LINE,
}
