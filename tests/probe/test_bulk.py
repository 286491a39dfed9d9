"""Every code object of the standard library, instrumented but not run: nothing of it is lost."""

from __future__ import annotations

import dis
import sysconfig
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from quickcover import _native

from .conftest import FILE, Prober

# qc_probe_kind
JUMP, OUT = 2, 4
# What a layout may add between instructions.
ADDED = frozenset({"NOP", "EXTENDED_ARG", "CACHE"})


def code_in(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from code_in(const)


def _instructions(code: types.CodeType) -> list[dis.Instruction]:
    return [one for one in dis.get_instructions(code) if one.opname not in ADDED]


def _leads_over_island(one: dis.Instruction, code: types.CodeType) -> bool:
    """Is it a jump over the NOPs that co_code shows for an island of trampolines?"""
    between = code.co_code[one.offset + 2 : one.argval : 2] if one.opcode in dis.hasjrel else b""
    trampoline = 3
    return len(between) >= trampoline and set(between) == {dis.opmap["NOP"]}


def _own(twin: types.CodeType, plain: types.CodeType) -> list[dis.Instruction]:
    """The twin's instructions without what was added."""
    if len(twin.co_code) == len(plain.co_code):
        return _instructions(twin)
    return [one for one in _instructions(twin) if not _leads_over_island(one, twin)]


def _handler_of(code: types.CodeType, offset: int) -> tuple[int, int, bool] | None:
    for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]
        if entry.start <= offset < entry.end:
            return entry.target, entry.depth, entry.lasti
    return None


def _index(instructions: list[dis.Instruction], offset: int) -> int:
    """The first instruction at or after an offset, NOPs and prefixes skipped."""
    return next(k for k, one in enumerate(instructions) if one.offset >= offset)


def check_meaning(twin: types.CodeType, plain: types.CodeType) -> None:
    """The same instructions with the same arguments, lines, columns and handlers."""
    mine, theirs = _own(twin, plain), _instructions(plain)
    assert [one.opname.replace("BACKWARD", "FORWARD") for one in mine] == [
        one.opname.replace("BACKWARD", "FORWARD") for one in theirs
    ]
    for one, other in zip(mine, theirs, strict=True):
        assert one.positions == other.positions
        if other.opcode in dis.hasjrel:
            assert _index(mine, one.argval) == _index(theirs, other.argval)
        else:
            assert one.arg == other.arg
        handler, expected = _handler_of(twin, one.offset), _handler_of(plain, other.offset)
        assert (handler is None) == (expected is None)
        if handler is not None and expected is not None:
            assert handler[1:] == expected[1:]
            assert _index(mine, handler[0]) == _index(theirs, expected[0])


def _waits(raw: bytes, twin: types.CodeType, patch: int) -> bool:
    """Is there a probe that is armed for contexts of tests alone?"""
    named_so = twin.co_name.startswith("test") or twin.co_name == "runTest"
    return named_so and raw[2 * patch] != dis.opmap["JUMP_FORWARD"]


def check_probes(raw: bytes, twin: types.CodeType, probes: list[tuple[int, int, int]]) -> None:
    """No two probes in one place, and each one leads to its own trampoline."""
    shown = twin.co_code
    patches = [patch for patch, _, kind in probes if kind not in (JUMP, OUT)]
    assert len(patches) == len(set(patches))
    for patch, trampoline, kind in probes:
        if kind not in (JUMP, OUT) and not _waits(raw, twin, patch):
            assert raw[2 * patch] == dis.opmap["JUMP_FORWARD"]
            assert patch + 1 + raw[2 * patch + 1] == trampoline
            assert shown[2 * patch] != dis.opmap["CACHE"]
    displaced = {2 * patch for patch in patches}
    for offset in range(0, len(shown), 2):
        name = dis.opname[shown[offset]]
        if offset not in displaced and name not in ("NOP", "CACHE"):
            joined = "__" in dis._all_opname[raw[offset]]  # type: ignore[attr-defined]
            assert raw[offset] == shown[offset] or joined or "POP_JUMP" in name


def check(prober: Prober, source: str) -> int:
    count = 0
    codes, others = (code_in(compile(source, FILE, "exec", dont_inherit=True)) for _ in range(2))
    for code, other in zip(codes, others, strict=True):
        found = _native._instrument(code)
        assert found is not None
        assert code.co_code == other.co_code
        twin, raw, probes = found
        check_probes(raw, twin, probes)
        check_meaning(twin, code)
        count += 1
    return count


def sources() -> list[Path]:
    return sorted(Path(sysconfig.get_paths()["stdlib"]).glob("**/*.py"))


def _check_all(prober: Prober, files: list[Path]) -> None:
    count = 0
    for file in files:
        try:
            source = file.read_bytes().decode()
            compile(source, FILE, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue  # made to be wrong, for tests
        count += check(prober, source)
    assert count > 100


def test_some_modules(prober: Prober) -> None:
    names = {"argparse.py", "ast.py", "dataclasses.py", "inspect.py", "typing.py"}
    _check_all(prober, [file for file in sources() if file.name in names])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_whole_standard_library(prober: Prober) -> None:
    _check_all(prober, [file for file in sources() if "site-packages" not in file.parts])
