"""What ends a command early."""

from __future__ import annotations


class CommandError(Exception):
    """The command can't do what is asked; the text says why, and what to do."""


class UsageError(CommandError):
    """The command line is wrong."""
