"""`python -m quickcover` is the `quickcover` command."""

from __future__ import annotations

import os
import sys

from quickcover.cli import main

if __name__ == "__main__":
    # coverage.py's help shows the base name of this.
    sys.argv[0] = os.path.dirname(sys.argv[0])
    sys.exit(main())
