"""Where and with what the numbers were taken."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def cpu_model() -> str:
    """The CPU's name as the kernel gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model"):
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def load() -> float:
    """How many processes want to run: above the number of cores, times are doubtful."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return 0.0


def machine() -> dict[str, Any]:
    """The machine, without its name."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
    }


def stale(installed: float) -> bool:
    """Has a source file changed since quickcover was installed? Then it is not what is measured."""
    sources = [path for part in ("csrc", "src") for path in (ROOT / part).rglob("*.[chp]*")]
    newest = max((path.stat().st_mtime for path in sources if path.suffix != ".pyc"), default=0.0)
    return 0.0 < installed < newest


def git() -> dict[str, Any]:
    """The commit of the sources, and whether they differ from it."""

    def ask(*command: str) -> str | None:
        answer = subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return answer.stdout.strip() if answer.returncode == 0 else None

    try:
        changes = ask("status", "--porcelain", "--", "csrc", "src", "CMakeLists.txt")
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(changes)}
    except OSError:
        return {"commit": None, "dirty": None}


def now() -> str:
    """The date, in UTC, to the minute."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M")
