"""Benchmarks: what each measurement tool costs, as ratios of user CPU time to no tool at all."""
