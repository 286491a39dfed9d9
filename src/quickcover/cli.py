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
    profile     Show where the measuring core spends its time on a program of yours.

Use 'quickcover bench --help' and 'quickcover profile --help' for their options.
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
    if _own(argv):
        return _own_command(argv)
    if argv[:1] == ["run"]:
        from quickcover import _quickrun

        ended = _quickrun.run(argv)
        if ended is not None:
            status: int | str | None = ended[0]
            return status
    from quickcover import _startup, coveragepy

    quickcover.install()
    if argv == ["--version"]:
        print(f"quickcover, version {quickcover.__version__}")
    try:
        status = coveragepy.run_command(argv)
    finally:
        _startup.State.command = None  # it may not have come as far as to be kept
    if argv in (["help"], ["--help"], ["-h"]):
        print(_OURS, end="")
    return status


def _own(argv: list[str]) -> bool:
    """Is it for a command that coverage.py doesn't have?"""
    named = argv[1:] if argv[:1] == ["help"] and len(argv) == 2 else argv
    return named[:1] in (["bench"], ["profile"])


def _own_command(argv: list[str]) -> int:
    """Run one of our own commands.  Nothing is installed in this process."""
    from quickcover.bench import command, profile

    mains = {"bench": command.main, "profile": profile.main}
    if argv[0] == "help":
        return mains[argv[1]](["--help"])
    return mains[argv[0]](argv[1:])
