"""`python -m benchmarks.examples`."""

import sys

from benchmarks.examples.measure import main

sys.exit(main())
