"""A client of debugpy's, as an editor is one: sets a breakpoint, steps, and goes on."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds for whatever is waited for


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Client(threading.Thread):
    """Debugs the program that will listen at `port`: where it stopped is in `stops` at the end.

    It stops at the breakpoint each time, steps once, and goes on.
    """

    def __init__(self, port: int, file: Path, breakpoint: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.file = file
        self.breakpoint = breakpoint
        #: Why it stopped, and at which line.
        self.stops: list[tuple[str, int]] = []
        self._sent = 0

    def run(self) -> None:
        """Connect, and debug until the program ends."""
        with self._connected() as connection:
            self._socket = connection
            self._stream = connection.makefile("rb")
            self._send("initialize", adapterID="test", pathFormat="path")
            self._send("attach", justMyCode=True)
            while (message := self._receive()) is not None:
                if message.get("event") == "initialized":
                    self._break_at()
                elif message.get("event") == "stopped":
                    self._stopped(**message["body"])
                elif message.get("event") == "terminated":
                    self._send("disconnect")

    def _connected(self) -> socket.socket:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _break_at(self) -> None:
        source = {"path": str(self.file)}
        self._send("setBreakpoints", source=source, breakpoints=[{"line": self.breakpoint}])
        self._send("configurationDone")

    def _stopped(self, reason: str, threadId: int, **_: Any) -> None:
        number = self._send("stackTrace", threadId=threadId, levels=1)
        while (message := self._receive()) is not None:
            if message.get("request_seq") == number:
                self.stops.append((reason, message["body"]["stackFrames"][0]["line"]))
                break
        self._send("next" if reason == "breakpoint" else "continue", threadId=threadId)

    def _send(self, command: str, **arguments: Any) -> int:
        self._sent += 1
        request = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self._sent

    def _receive(self) -> dict[str, Any] | None:
        """The next message; None when there are no more."""
        length = 0
        try:
            while (line := self._stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name == b"Content-Length" else length
            message: dict[str, Any] = json.loads(self._stream.read(length)) if line else {}
        except OSError:
            return None
        return message or None
