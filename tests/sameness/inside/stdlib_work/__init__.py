"""Small workloads for the standard library: what each `work_` function does is of no use but to run its lines.

Every function is deterministic, needs no network and no display, and runs on every CPython from 3.11 on.
"""
