"""Attempts to break a run: killed, starved, at the interpreter's edges (docs/reliability.md)."""
