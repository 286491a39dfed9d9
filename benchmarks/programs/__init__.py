"""Pure-Python programs in a steady state: `run(n)` is deterministic, n = 0 is start-up alone."""
