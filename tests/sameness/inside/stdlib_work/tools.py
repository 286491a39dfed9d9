"""What several workloads need."""

from __future__ import annotations

import importlib.util
import io
import sys
import types
from typing import Any


def attempt(function: Any, *arguments: Any, **named: Any) -> None:
    """Call something that may refuse; then the error is made to speak."""
    try:
        function(*arguments, **named)
    except Exception as error:
        str(error)


def without_c(name: str, accelerator: str) -> types.ModuleType:
    """A copy of a module that didn't find its accelerator."""
    saved = sys.modules.get(accelerator)
    sys.modules[accelerator] = None  # type: ignore[assignment]
    try:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        del sys.modules[accelerator]
        if saved is not None:
            sys.modules[accelerator] = saved
    return module


class CannedSocket:
    """Gives answers that were written before the questions."""

    def __init__(self, answers: bytes) -> None:
        self.answers = io.BytesIO(answers)
        self.sent = b""

    def makefile(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        return (
            io.BufferedReader(self.answers)
            if "b" in mode
            else io.TextIOWrapper(
                self.answers,
                encoding="latin-1",
            )
        )

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self.answers.read(size)

    def setsockopt(self, *_: Any) -> None: ...
    def settimeout(self, *_: Any) -> None: ...
    def shutdown(self, *_: Any) -> None: ...
    def close(self) -> None: ...
