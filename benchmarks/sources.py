"""With which sources the numbers were taken."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


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
