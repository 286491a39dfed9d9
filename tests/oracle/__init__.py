"""The reference that every engine is compared with: a slow, obvious tracer and its reports.

`tracer.Oracle` says which lines and arcs a program runs through, in coverage.py's terms.
`report.report` turns lines and arcs, from whatever source, into what `coverage json` shows.
Neither knows of quickcover.
"""

from .report import FileReport, report
from .tracer import Oracle

__all__ = ["FileReport", "Oracle", "report"]
