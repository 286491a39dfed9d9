"""Small workloads for the standard library: they are of no use but to run its lines.

Every `work_` function is deterministic, needs no network and no display, and runs on every CPython
from 3.11 on.
"""
