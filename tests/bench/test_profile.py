"""`quickcover profile`: recorded samples, folded and drawn, and the real thing where perf runs."""

from __future__ import annotations

import re
import sys
import sysconfig
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from quickcover import _env
from quickcover.bench import flame, fold, perf
from quickcover.bench.errors import CommandError
from quickcover.bench.fold import CORE, OTHER, PYTHON, Folded, Frame
from quickcover.bench.profile import _FILES

from ..conftest import Runner

RECORDED = Path(__file__).parent / "samples"
SVG = "{http://www.w3.org/2000/svg}"

#: What perf writes: comments of its own left out.
MADE_UP = """\
python3  7/7  1.5:    100 cpu-clock:u:
\t            10 inner+0x1f (/site/quickcover/_native.abi.so)
\t            20 [unknown] (/usr/bin/python3)
\t            30 [unknown] (/usr/bin/python3)
\t            89 py::f;g:/home/work.py (/tmp/jitted-7-1.so)
\t            40 main (/usr/bin/python3)

two words 8/9  1.6:     50 cycles:uppp:
\t            11 alloc.isra.0 (/usr/lib/libc.so.6)
\t            12 inner (/site/quickcover/_native.abi.so)
\t            40 main (inlined)

python3  7/7  1.7:    50 cpu-clock:u:
\t            40 main (/usr/bin/python3)

"""


def folded(text: str, kind: str = "quickcover", alone: bool = False) -> Folded:
    return fold.fold(fold.samples(text), _FILES[kind], alone)


def test_samples_are_merged() -> None:
    found = folded(MADE_UP * 2)
    f = Frame("f;g (work.py)", PYTHON)
    assert found.stacks == {
        (Frame("main"), f, Frame("[python3]"), Frame("inner", CORE)): 200,
        (Frame("main"), Frame("inner", CORE), Frame("alloc")): 100,
    }
    assert (found.total, found.samples, found.kept, found.weight) == (400, 6, 4, 300)
    assert found.text() == "main;f:g (work.py);[python3];inner 200\nmain;inner;alloc 100\n"
    assert fold.processes(MADE_UP) == {7, 8}


def test_alone() -> None:
    assert folded(MADE_UP, alone=True).text() == "inner 100\ninner;alloc 50\n"


def test_top_functions() -> None:
    own_and_total = {cost.frame.name: cost[1:] for cost in fold.top(folded(MADE_UP))}
    assert own_and_total == {"inner": (2 / 3, 1.0), "alloc": (1 / 3, 1 / 3)}


@pytest.mark.parametrize("name, kind", [("ctrace-3.14", "coverage"), ("trace-3.11", "quickcover")])
def test_recorded_samples(name: str, kind: str) -> None:
    text = (RECORDED / f"{name}.txt").read_text()
    blocks = [block for block in text.split("\n\n") if block.strip()]
    inside = [b for b in blocks if any(_FILES[kind].search(m) for m in re.findall(r"\((.*)\)", b))]
    found = folded(text, kind)
    assert (found.samples, found.kept) == (len(blocks), len(inside))
    assert 0 < found.kept < found.samples
    assert sum(cost.own for cost in fold.top(found)) == pytest.approx(1.0)
    entry = {"coverage": "CTracer_trace", "quickcover": "on_event"}[kind]
    assert {cost.frame.name: cost.total for cost in fold.top(found)}[entry] > 0.5
    assert not fold.nameless(found)
    named = any(frame.kind == PYTHON for stack in found.stacks for frame in stack)
    assert named == (name == "ctrace-3.14")


def test_functions_without_names() -> None:
    text = MADE_UP.replace("inner+0x1f", "[unknown]").replace("inner", "[unknown]")
    assert fold.nameless(folded(text))
    assert not fold.nameless(folded(MADE_UP))


def test_nothing_recorded() -> None:
    assert folded("").samples == 0
    assert folded("no sample at all\n\n").samples == 0


def boxes(text: str) -> dict[str, ElementTree.Element]:
    """The boxes of a picture, by the name that a pointer shows."""
    root = ElementTree.fromstring(text)
    return {
        group.findtext(f"{SVG}title", ""): group
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "f"
    }


def test_picture() -> None:
    text = flame.svg(folded(MADE_UP).stacks, 'a <title> & "more"', "below")
    found = boxes(text)
    assert set(found) == {
        "all (100.0%)", "main (100.0%)", "f;g (work.py) (66.7%)", "[python3] (66.7%)",
        "inner (66.7%)", "inner (33.3%)", "alloc (33.3%)",
    }  # fmt: skip
    assert "a &lt;title&gt; &amp;" in text
    assert (found["alloc (33.3%)"].get("data-w"), found["alloc (33.3%)"].get("data-d")) == (
        "0.333333", "3",
    )  # fmt: skip
    # Side by side, none wider than what called it.
    left, right = found["f;g (work.py) (66.7%)"], found["inner (33.3%)"]
    starts = sorted(
        (float(box.get("data-x", 0)), float(box.get("data-w", 0))) for box in (left, right)
    )
    assert starts[0][0] + starts[0][1] == pytest.approx(starts[1][0])


def test_picture_is_the_same_each_time() -> None:
    stacks = folded((RECORDED / "ctrace-3.14.txt").read_text(), "coverage").stacks
    turned = Counter(dict(reversed(stacks.items())))
    assert flame.svg(stacks, "t", "s") == flame.svg(turned, "t", "s")


def test_labels_fit_their_boxes() -> None:
    long = "name" * 100
    stacks = Counter({(Frame(long, CORE),): 999, (Frame("narrow", OTHER),): 1})
    labels = {
        name: box.findtext(f"{SVG}text") for name, box in boxes(flame.svg(stacks, "", "")).items()
    }
    shown = labels[f"{long} (99.9%)"] or ""
    assert shown.endswith("…") and 100 < len(shown) < 200
    assert not labels["narrow (0.1%)"]


@pytest.mark.parametrize(
    "errors, paranoid, reason",
    [
        ("Access to performance monitoring... perf_event_paranoid setting", "4",
         r"\(kernel.perf_event_paranoid is 4\); .*sudo sysctl kernel.perf_event_paranoid=1"),
        ("perf_event_open: Operation not permitted", "1", "a container may forbid it"),
        ("WARNING: perf not found for kernel 5.10", "1", "not installed for the kernel that runs"),
        ("something else\nmore", "1", "perf record failed: something else$"),
        ("", "1", "it does not say why"),
    ],
)  # fmt: skip
def test_refusal(errors: str, paranoid: str, reason: str) -> None:
    assert re.search(reason, perf.refusal(errors, paranoid))


def test_method(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ""
    monkeypatch.setattr(sysconfig, "get_config_vars", lambda *names: [flags])
    for trampoline, jit, expected in (
        (False, False, ("dwarf", (), False, "3.12")),
        (True, False, ("dwarf", (), False, "3.13")),
        (True, True, ("dwarf", ("-X", "perf_jit"), True, "")),
    ):
        monkeypatch.setattr(_env, "perf_trampoline", lambda able=trampoline: able)
        monkeypatch.setattr(_env, "perf_jit", lambda able=jit: able)
        how = perf.method()
        assert how.call_graph.startswith(expected[0])
        assert (how.option, how.inject) == expected[1:3]
        assert expected[3] in how.nameless and bool(expected[3]) == bool(how.nameless)
    flags = "-O2 -fno-omit-frame-pointer"
    assert perf.method() == perf.Method("fp", ("-X", "perf"))


def test_perf_is_missing(
    run_quickcover: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work.py").touch()
    done = run_quickcover("profile", "--", "work.py", env={"PATH": str(tmp_path)}, status=1)
    assert "apt install linux-perf" in done.stderr or "there is none on this system" in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(sys.platform != "linux", reason="perf is a part of Linux")
def test_perf_is_not_permitted(run_quickcover: Runner, tmp_path: Path) -> None:
    (tmp_path / "work.py").touch()
    refusing = tmp_path / "perf"
    refusing.write_text(
        "#!/bin/sh\necho 'Error: No permission, see perf_event_paranoid' >&2\nexit 1\n"
    )
    refusing.chmod(0o755)
    done = run_quickcover("profile", "--", "work.py", env={"PATH": str(tmp_path)}, status=1)
    assert "perf is not permitted (kernel.perf_event_paranoid is " in done.stderr


@pytest.mark.parametrize(
    "words, reason",
    [
        ("", "nothing to run"),
        ("-- none.py", "no such script: none.py"),
        ("--core=sysmon -- work.py", "no core is called 'sysmon'"),
        ("-o x.png -- work.py", "must end in .svg"),
        ("-o no/x.svg -- work.py", "no such directory: no"),
        ("--frequency=0 -- work.py", "0 is not above 0"),
    ],
)
def test_bad_input(run_quickcover: Runner, tmp_path: Path, words: str, reason: str) -> None:
    (tmp_path / "work.py").touch()
    done = run_quickcover("profile", *words.split(), status=1)
    assert done.stderr.startswith("quickcover profile: ")
    assert reason in done.stderr


PROGRAM = """\
def work(n):
    total = 0
    for i in range(n):
        total += i if i % 3 else 1
    return total
print(work(700_000))
"""


@pytest.mark.slow  # samples: a busy machine may have too few
@pytest.mark.no_sanitizer
@pytest.mark.parametrize("core", ["ctrace", "quickcover-trace"])
def test_the_real_thing(run_quickcover: Runner, tmp_path: Path, core: str) -> None:
    try:
        perf.check()
    except CommandError as error:
        pytest.skip(str(error))
    (tmp_path / "work.py").write_text(PROGRAM)
    done = run_quickcover("profile", f"--core={core}", "-o", "p.svg", "--", "work.py")
    entry = {"ctrace": "CTracer_trace", "quickcover-trace": "on_event"}[core]
    assert re.search(rf"[\d.]+% +[\d.]+%  {entry}$", done.stdout, re.M)
    assert entry in (tmp_path / "p.folded").read_text()
    assert any(name.startswith(entry) for name in boxes((tmp_path / "p.svg").read_text()))
    if not perf.method().nameless:
        assert "work (work.py)" in (tmp_path / "p.folded").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.folded", "p.svg", "work.py"]


def test_help(run_quickcover: Runner) -> None:
    text = run_quickcover("profile", "--help").stdout
    assert "quickcover profile [options] -- PYTHON-ARGS" in text
    assert run_quickcover("help", "profile").stdout == text
