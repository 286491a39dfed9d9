"""Run `coverage` with some modules imported first: `python preload.py run ...`.

The cores import different parts of the standard library before they begin to measure. A report of
the standard library itself would show that; so every run first imports what any core needs
(SAMENESS_PRELOAD).
"""

from __future__ import annotations

import importlib
import os
import sys

from coverage.cmdline import main

for name in os.environ.get("SAMENESS_PRELOAD", "").split():
    importlib.import_module(name)

if __name__ == "__main__":
    sys.exit(main())
