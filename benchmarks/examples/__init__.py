"""What the coverage of each example costs: `python -m benchmarks.examples`."""
