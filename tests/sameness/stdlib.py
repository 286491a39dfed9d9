"""The standard library of the interpreter, at work."""

from __future__ import annotations

from .suites import INSIDE, Suite

STDLIB: tuple[Suite, ...] = (
    Suite(
        "stdlib",
        path=".",
        program=(str(INSIDE / "stdlib_driver.py"),),
        config=(
            "cover_pylib = true",
            "include = {stdlib}/*",
            "omit = {stdlib}/site-packages/*,{stdlib}/test/*",
        ),
        preload=True,
    ),
)
