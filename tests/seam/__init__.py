"""How quickcover gets into coverage.py, and what comes out there."""
