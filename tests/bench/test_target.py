"""PYTHON-ARGS: what is understood, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickcover.bench import options, target
from quickcover.bench.errors import UsageError


@pytest.mark.parametrize(
    "words, flags, rest",
    [
        ("script.py", (), ["script.py"]),
        ("script.py -m --x", (), ["script.py", "-m", "--x"]),
        ("-m pytest tests", (), ["-m", "pytest", "tests"]),
        ("-mpytest -q", (), ["-m", "pytest", "-q"]),
        ("-Bm pytest", ("-B",), ["-m", "pytest"]),
        ("-X dev -W error -B script.py", ("-X", "dev", "-W", "error", "-B"), ["script.py"]),
        ("-Xdev -Werror -m pkg.mod", ("-Xdev", "-Werror"), ["-m", "pkg.mod"]),
        ("--check-hash-based-pycs never script.py", ("--check-hash-based-pycs", "never"),
         ["script.py"]),
    ],
)  # fmt: skip
def test_understood(
    words: str, flags: tuple[str, ...], rest: list[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("script.py").touch()
    found = target.parse(words.split())
    assert (found.options, found.words) == (flags, rest)


@pytest.mark.parametrize(
    "words, reason",
    [
        ("", "nothing to run"),
        ("-B", "no script"),
        ("-", "no script"),
        ("-X", "no script"),
        ("-m", "needs the name of a module"),
        ("-c pass", "-c is not possible"),
        ("-Bcpass", "-c is not possible"),
        ("missing.py", "no such script: missing.py"),
        ("python3 script.py", "leave out the name of the interpreter"),
    ],
)
def test_refused(words: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=reason):
        target.parse(words.split())


def test_split() -> None:
    assert options.split(["a", "--", "b", "--", "c"]) == (["a"], ["b", "--", "c"])
    assert options.split(["a"]) == (["a"], None)
    assert options.split(["--"]) == ([], [])
