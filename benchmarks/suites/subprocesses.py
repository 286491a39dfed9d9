"""200 short Python processes, one after the other, each of which imports and runs a little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROCESSES = 200
PROGRAMS = Path(__file__).resolve().parent.parent / "programs"
CODE = "import sys; sys.path.insert(0, sys.argv[1]); import text; print(text.run(1))"


def main() -> None:
    """Run them all."""
    command = [sys.executable, "-c", CODE, str(PROGRAMS)]
    said = {
        subprocess.run(command, check=True, capture_output=True).stdout for _ in range(PROCESSES)
    }
    assert len(said) == 1, said


if __name__ == "__main__":
    main()
