"""`python -m benchmarks.tstl`."""

import sys

from benchmarks.tstl.measure import main

sys.exit(main())
