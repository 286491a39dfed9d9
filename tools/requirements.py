"""Print requirements that pyproject.toml states, one per line, for `pip install -r`.

    python tools/requirements.py [--package] [GROUP...]

GROUP is one of [dependency-groups]; --package adds what the package itself needs. pip can read
dependency groups itself since 25.1; the pip that comes with older Pythons cannot.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(groups: list[str], package: bool) -> list[str]:
    """What the groups, and the package itself if wanted, require."""
    with PYPROJECT.open("rb") as file:
        project = tomllib.load(file)
    found: list[str] = list(project["project"]["dependencies"]) if package else []
    for group in groups:
        found += project["dependency-groups"][group]
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--package", action="store_true", help="what the package itself needs")
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    options = parser.parse_args()
    print("\n".join(requirements(options.groups, options.package)))


if __name__ == "__main__":
    main()
