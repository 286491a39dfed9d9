"""The `quickcover` command: every command of coverage.py, with the fast core on.

Options, output and exit status are coverage.py's.  One thing differs: messages about errors go to
stderr, where coverage.py prints them to stdout.
"""

from __future__ import annotations

import sys

import quickcover


def main(argv: list[str] | None = None) -> int | str | None:
    """Run one command.

    `install()` stays in force afterwards: threads of the measured program may still start children.

    Args:
        argv: the command line without the program's name; `sys.argv[1:]` if None.

    Returns:
        The exit status, fit for `sys.exit`: coverage.py's, or what the program gave to `sys.exit`.
    """
    from quickcover import coveragepy

    argv = sys.argv[1:] if argv is None else argv
    quickcover.install()
    if argv == ["--version"]:
        print(f"quickcover, version {quickcover.__version__}")
    return coveragepy.run_command(argv)
