"""The standard library of the interpreter, at work."""

from __future__ import annotations

from .suites import INSIDE, Suite

NOT_COMPARED = (
    # A trace function begins to see a new thread when the thread installs it, amidst these.
    r"def _bootstrap(_inner)?\(",
    r"def _set_(ident|native_id|os_name)\(",
    # The way to install one in new threads; a core that needs none doesn't run it.
    r"def (settrace|gettrace)\(",
)
"""Lines of threading.py that belong to the cores, not to the program."""

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
        report_config=("exclude_also =", *(f"    {pattern}" for pattern in NOT_COMPARED)),
        preload=True,
    ),
)
