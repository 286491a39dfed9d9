"""TSTL's random tester with coverage that sees nothing; runs beside TSTL's sut.py.

What TSTL itself does for coverage stays: it starts, stops and asks it twice for each operation.  So
this is the most that any coverage can reach.
"""

import os
import sys
from types import SimpleNamespace

sys.path.insert(0, os.getcwd())

import sut
from tstl.randomtester import main


class Nothing:
    """In place of coverage.py's Coverage object, and of what TSTL's class makes of it."""

    def __init__(self, **_options):
        self.start = self.stop = [].clear  # a C function that is quick, as those of quickcover

    def update(self, extendCov=False):
        """Nothing is new."""


NONE = set()
for view in ("all", "curr", "new", "newCurr"):
    setattr(sut.sut, f"{view}Branches", lambda self: NONE)
    setattr(sut.sut, f"{view}Statements", lambda self: NONE)
for name in ("cleanCov", "resetCov"):
    setattr(sut.sut, name, lambda self: None)
sut.sut.report = lambda self, filename: 0.0
sut.sut._sut__updateCov = Nothing().update
sut.coverage = SimpleNamespace(coverage=Nothing)
main()
