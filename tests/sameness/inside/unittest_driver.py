"""Run modules of tests with unittest and note how each test ended: `unittest_driver.py MODULE...`.

For the standard library's own tests; a module that this Python does not have is noted as absent.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
import unittest

import sameness_probe


class Noted(unittest.TestResult):
    """Notes every outcome."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        sameness_probe.note(test.id(), "passed")

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        sameness_probe.note(test.id(), "failed")

    def addError(self, test: unittest.TestCase, err: object) -> None:
        sameness_probe.note(test.id(), "failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        sameness_probe.note(test.id(), "skipped")

    def addExpectedFailure(self, test: unittest.TestCase, err: object) -> None:
        sameness_probe.note(test.id(), "xfailed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        sameness_probe.note(test.id(), "xpassed")


def main(names: list[str]) -> None:
    """Run the modules in the order given."""
    gc.disable()
    loader = unittest.TestLoader()
    for name in names:
        if importlib.util.find_spec(name) is None:
            sameness_probe.note(name, "absent")
            continue
        loader.loadTestsFromName(name).run(Noted())
        gc.collect()  # or finalizers run whenever a core's own objects let the next round begin
    sameness_probe.write_notes()


if __name__ == "__main__":
    main(sys.argv[1:])
