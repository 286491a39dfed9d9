"""Running a program under Linux's perf, and what perf can do here."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from quickcover import _env
from quickcover.bench import fold
from quickcover.bench.errors import CommandError

_INSTALL = (
    "perf is not installed (Debian: apt install linux-perf; Ubuntu: apt install "
    "linux-tools-generic; Fedora, Arch, openSUSE: the package perf)"
)
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")

#: Bytes of stack that are copied with each sample, to be unwound later: more see farther down.
_STACK = 16_384


@dataclass(frozen=True)
class Method:
    """How stacks are read, and with which option Python names its frames."""

    call_graph: str
    option: tuple[str, ...] = ()
    #: The names are in a dump of Python's, to be put into the recording.
    inject: bool = False
    #: Why Python's frames have no names; empty if they have.
    nameless: str = ""


def method() -> Method:
    """The best that this interpreter allows.

    Frame pointers are cheap to follow, but must be there; else perf copies parts of the stack. The
    trampoline that gives Python's frames names needs one or the other in a form of its own.
    """
    if not _env.perf_trampoline():
        why = "Python frames have no names: that needs Python 3.12 or later"
        return Method(f"dwarf,{_STACK}", nameless=why)
    if "-fno-omit-frame-pointer" in str(sysconfig.get_config_vars("CFLAGS", "PY_CORE_CFLAGS")):
        return Method("fp", ("-X", "perf"))
    if _env.perf_jit():
        return Method(f"dwarf,{_STACK}", ("-X", "perf_jit"), inject=True)
    why = "Python frames have no names: that needs Python 3.13, or one built with frame pointers"
    return Method(f"dwarf,{_STACK}", nameless=why)


def check() -> None:
    """Try perf on a program that does nothing.

    Raises:
        CommandError: it is not there, or may not be used.
    """
    if sys.platform != "linux":
        raise CommandError("perf is a part of Linux: there is none on this system")
    if shutil.which("perf") is None:
        raise CommandError(_INSTALL)
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "data")
        try:
            done = _run("record", "--all-user", "-o", path, "--", "true")
        except OSError as error:
            raise CommandError(f"perf doesn't run: {error}") from error
    if done.returncode:
        raise CommandError(refusal(done.stderr, _paranoid()))


def refusal(errors: str, paranoid: str) -> str:
    """What to do about perf's complaint."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if any(word in errors for word in ("perf_event_paranoid", "ermission", "not permitted")):
        advice = "ask for it with: sudo sysctl kernel.perf_event_paranoid=1"
        if paranoid.lstrip("-").isdigit() and int(paranoid) < 2:
            advice = "a container may forbid it: allow the system call perf_event_open"
        return f"perf is not permitted (kernel.perf_event_paranoid is {paranoid}); {advice}"
    if "not found for kernel" in errors:
        return f"perf is not installed for the kernel that runs: {lines[0]}"
    return f"perf record failed: {lines[0] if lines else 'it does not say why'}"


def record(command: list[str], env: dict[str, str], how: Method, frequency: int, path: Path) -> int:
    """Run a command under perf, its output left to the terminal.

    Returns:
        The command's exit status.
    """
    done = subprocess.run(
        ["perf", "record", "--quiet", "--all-user", "-F", str(frequency), "-k", "mono",
         "--call-graph", how.call_graph, "-o", str(path), "--", *command],
        env=env, check=False,
    )  # fmt: skip
    if not path.exists():
        raise CommandError(f"perf recorded nothing: exit status {done.returncode}")
    return done.returncode


def script(path: Path, how: Method) -> str:
    """The samples of a recording, as text."""
    if not how.inject:
        return _script(path)
    injected = path.with_suffix(".injected")
    done = _run("inject", "--jit", "-f", "-i", str(path), "-o", str(injected))
    found = ""
    try:
        found = _script(injected if done.returncode == 0 else path)
    finally:
        _clean(fold.processes(found or _script(path)))
    return found


def _script(path: Path) -> str:
    # Asking for inlined functions takes minutes.
    fields = "comm,pid,tid,time,event,ip,sym,dso,period"
    done = _run("script", "--no-inline", "-f", "-i", str(path), "-F", fields)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
        raise CommandError(f"perf script failed: {last}")
    return done.stdout


def _clean(processes: set[int]) -> None:
    """Remove what Python and perf leave in /tmp for the names of Python's frames."""
    for process in processes:
        for path in (
            Path(f"/tmp/jit-{process}.dump"),
            *Path("/tmp").glob(f"jitted-{process}-*.so"),
        ):
            with contextlib.suppress(OSError):
                if path.stat().st_uid == os.getuid():
                    path.unlink()


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["perf", *words], capture_output=True, text=True, errors="replace", check=False
    )


def _paranoid() -> str:
    try:
        return _PARANOID.read_text("ascii").strip()
    except OSError:
        return "unknown"
