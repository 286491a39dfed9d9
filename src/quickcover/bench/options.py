"""What the command lines of `bench` and `profile` have in common."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

from quickcover.bench.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Exit statuses, as coverage.py's.
OK, ERR = 0, 1
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """argparse that raises UsageError: its own way to exit has another status than coverage.py."""

    def error(self, message: str) -> NoReturn:
        """Report a wrong command line."""
        raise UsageError(message)


def split(argv: list[str]) -> tuple[list[str], list[str] | None]:
    """The options before the first `--`, and what stands after it; None without a `--`."""
    if "--" not in argv:
        return argv, None
    place = argv.index("--")
    return argv[:place], argv[place + 1 :]


def positive(text: str) -> int:
    """A number above zero, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def guarded(command: str, function: Callable[[], int]) -> int:
    """Run a command; errors are a message on stderr and coverage.py's exit status."""
    try:
        return function()
    except UsageError as error:
        print(f"quickcover {command}: {error}", file=sys.stderr)
        print(f"Use 'quickcover {command} --help' for help.", file=sys.stderr)
    except CommandError as error:
        print(f"quickcover {command}: {error}", file=sys.stderr)
    except OSError as error:
        print(f"quickcover {command}: {type(error).__name__}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"quickcover {command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return ERR
