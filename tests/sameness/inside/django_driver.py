"""Run Django's own runner of its tests, and note how each test ended.

`django_driver.py ARGUMENT... --deselect=TEST...`: the arguments are those of tests/runtests.py, in
the working directory.
"""

from __future__ import annotations

import os
import runpy
import sys
import unittest
from typing import Any

import sameness_probe
from unittest_driver import Noted, skip

RUNNER = os.path.abspath(os.path.join("tests", "runtests.py"))


class NotedText(Noted, unittest.TextTestResult):
    """What Django's runner wants to print its summary with."""


def main(arguments: list[str]) -> None:
    """Run the tests; how many failed is in the notes."""
    from django.test.runner import DiscoverRunner

    left_out = {name.partition("=")[2] for name in arguments if name.startswith("--deselect=")}
    build_suite = DiscoverRunner.build_suite

    def build_without(*args: Any, **options: Any) -> unittest.TestSuite:
        return skip(build_suite(*args, **options), left_out)

    DiscoverRunner.build_suite = build_without
    DiscoverRunner.get_resultclass = lambda self: NotedText
    sys.argv = [RUNNER, *(name for name in arguments if not name.startswith("--deselect="))]
    sys.path.insert(0, os.path.dirname(RUNNER))
    try:
        runpy.run_path(RUNNER, run_name="__main__")
    finally:
        sameness_probe.write_notes()


if __name__ == "__main__":
    main(sys.argv[1:])
