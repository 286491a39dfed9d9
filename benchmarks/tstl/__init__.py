"""TSTL's random tester on an AVL tree, with and without coverage: `python -m benchmarks.tstl`."""
