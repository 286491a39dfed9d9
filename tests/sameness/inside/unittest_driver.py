"""Run modules of tests with unittest and note how each test ended.

`unittest_driver.py MODULE... --deselect=TEST...`, for the standard library's own tests; a module
that this Python does not have is noted as absent.
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

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        if err is not None:
            sameness_probe.note(test.id(), "failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        sameness_probe.note(test.id(), "skipped")

    def addExpectedFailure(self, test: unittest.TestCase, err: object) -> None:
        sameness_probe.note(test.id(), "xfailed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        sameness_probe.note(test.id(), "xpassed")


def skip(suite: unittest.TestSuite, left_out: set[str]) -> unittest.TestSuite:
    """The same suite without the tests of these names."""
    kept: list[unittest.TestCase | unittest.TestSuite] = []
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            kept.append(skip(part, left_out))
        elif part.id() not in left_out:
            kept.append(part)
    return type(suite)(kept)


def main(arguments: list[str]) -> None:
    """Run the modules in the order given."""
    gc.disable()
    loader = unittest.TestLoader()
    left_out = {name.partition("=")[2] for name in arguments if name.startswith("--deselect=")}
    for name in arguments:
        if name.startswith("--"):
            continue
        if importlib.util.find_spec(name) is None:
            sameness_probe.note(name, "absent")
            continue
        skip(loader.loadTestsFromName(name), left_out).run(Noted())
        gc.collect()  # or finalizers run whenever a core's own objects let the next round begin
    sameness_probe.write_notes()


if __name__ == "__main__":
    main(sys.argv[1:])
