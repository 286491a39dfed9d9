"""`python -m quickcover` is the `quickcover` command."""

from __future__ import annotations

import sys
from pathlib import Path

from quickcover.cli import main

if __name__ == "__main__":
    # coverage.py's help shows the base name of this.
    sys.argv[0] = str(Path(sys.argv[0]).parent)
    sys.exit(main())
