"""The `quickcover` command: every command of coverage.py, with the fast core on, and two of ours.

Options, output and exit status are coverage.py's.  One thing differs: messages about errors go to
stderr, where coverage.py prints them to stdout.
"""

from __future__ import annotations

import sys

import quickcover

_OURS = """
Beyond coverage.py's:
    bench       Compare what quickcover and other tools cost on a program of yours.

Use 'quickcover bench --help' for its options.
"""

def main(argv: list[str] | None = None) -> int | str | None:
    """Run one command.

    `install()` stays in force afterwards: threads of the measured program may still start children.

    Args:
        argv: the command line without the program's name; `sys.argv[1:]` if None.

    Returns:
        The exit status, fit for `sys.exit`: coverage.py's, or what the program gave to `sys.exit`.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["bench"] or argv == ["help", "bench"]:
        return _own_command(argv)
    from quickcover import coveragepy

    quickcover.install()
    if argv == ["--version"]:
        print(f"quickcover, version {quickcover.__version__}")
    status = coveragepy.run_command(argv)
    if argv in (["help"], ["--help"], ["-h"]):
        print(_OURS, end="")
    return status


def _own_command(argv: list[str]) -> int:
    """Run a command that coverage.py doesn't have.  Nothing is installed in this process."""
    from quickcover.bench import command

    return command.main(["--help"] if argv[0] == "help" else argv[1:])
