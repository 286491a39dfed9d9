"""Where and with what figures were taken."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from quickcover import _env

PACKAGES = ("coverage", "quickcover", "slipcover")


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


def python() -> dict[str, Any]:
    """The interpreter that is running, and the packages that matter."""
    return {
        "implementation": platform.python_implementation(),
        "version": _env.release(),
        "compiler": platform.python_compiler(),
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
    }


def installed(package: str) -> str:
    """The version of a package; empty if it isn't installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def now() -> str:
    """The date, in UTC, to the minute."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M")
