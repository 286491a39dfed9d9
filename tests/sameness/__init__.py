"""Real projects, measured twice: by stock coverage.py and by quickcover; the reports must be equal.

`python -m tests.sameness --help`, from the top of the repository, says how to run it; README.md
says how to read it.
"""
