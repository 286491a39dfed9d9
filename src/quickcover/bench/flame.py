"""An interactive flame graph: one SVG file that needs nothing else.

Pure: stacks in, text out.  A click zooms, Search highlights, a pointer shows the figures; without a
script (in a viewer, say) the picture is complete, but still.
"""

from __future__ import annotations

import colorsys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from quickcover.bench.fold import CORE, OTHER, PYTHON, Frame, Stack

WIDTH = 1200
ROW = 18
MARGIN = 12
TOP = 64
_CHARACTER = 6.9  # the width of one, on average, in pixels
_NARROWEST = 0.3  # pixels; what is narrower is not drawn

#: Hue, saturation, lightness: of each kind, a little different for each function.
_COLOURS = {CORE: (12, 78, 62), PYTHON: (125, 38, 68), OTHER: (44, 72, 70)}
_KINDS = {CORE: "the measuring core", PYTHON: "Python functions", OTHER: "everything else"}


@dataclass
class Node:
    """A function at one place of the tree, with everything that it called."""

    frame: Frame
    weight: int = 0
    children: dict[Frame, Node] = field(default_factory=dict)


def tree(stacks: Counter[Stack]) -> Node:
    """Merge stacks from the root on."""
    root = Node(Frame("all"))
    for stack, weight in stacks.items():
        node = root
        node.weight += weight
        for frame in stack:
            node = node.children.setdefault(frame, Node(frame))
            node.weight += weight
    return root


def svg(stacks: Counter[Stack], title: str, subtitle: str) -> str:
    """The picture."""
    root = tree(stacks)
    boxes = list(_layout(root, 0, 0.0, root.weight))
    deepest = max(box.depth for box in boxes)
    height = TOP + (deepest + 1) * ROW + 2 * MARGIN
    shown = "\n".join(_box(box, height, root.weight) for box in boxes)
    return _PAGE.format(
        width=WIDTH, height=height, middle=WIDTH // 2, right=WIDTH - MARGIN,
        bottom=height - MARGIN, margin=MARGIN, title=escape(title), subtitle=escape(subtitle),
        legend=_legend(root), boxes=shown, inner=WIDTH - 2 * MARGIN, character=_CHARACTER,
        script=_SCRIPT,
    )  # fmt: skip


@dataclass(frozen=True)
class _Box:
    """Where a function is: left edge and width as parts of the whole."""

    frame: Frame
    weight: int
    depth: int
    left: float
    width: float


def _layout(node: Node, depth: int, left: float, whole: int) -> Iterator[_Box]:
    """All boxes that can be seen, callers first."""
    width = node.weight / whole if whole else 1.0
    if width * WIDTH < _NARROWEST:
        return
    yield _Box(node.frame, node.weight, depth, left, width)
    for child in sorted(node.children.values(), key=lambda child: child.frame):
        yield from _layout(child, depth + 1, left, whole)
        left += child.weight / whole


def _box(box: _Box, height: int, whole: int) -> str:
    inner = WIDTH - 2 * MARGIN
    x, width = MARGIN + box.left * inner, box.width * inner
    y = height - 2 * MARGIN - (box.depth + 1) * ROW
    name = box.frame.name
    room = int((width - 6) / _CHARACTER)
    label = name if len(name) <= room else f"{name[: room - 1]}…" if room > 3 else ""
    share = box.weight / whole if whole else 1.0
    return (
        f'<g class="f" data-x="{box.left:.6f}" data-w="{box.width:.6f}" data-d="{box.depth}">'
        f"<title>{escape(name)} ({share:.1%})</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.3):.1f}" height="{ROW - 1}" '
        f'fill="{_colour(box.frame)}"/>'
        f'<text x="{x + 3:.1f}" y="{y + ROW - 5}">{escape(label)}</text></g>'
    )


def _colour(frame: Frame) -> str:
    return _rgb(frame.kind, zlib.crc32(frame.name.encode()) % 13 - 6)


def _rgb(kind: str, shade: int = 0) -> str:
    """A colour as every viewer knows it."""
    hue, saturation, lightness = _COLOURS[kind]
    parts = colorsys.hls_to_rgb(
        (hue + shade) % 360 / 360, (lightness + shade % 5) / 100, saturation / 100
    )
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _legend(root: Node) -> str:
    """The colours that are there."""
    kinds = {frame.kind for frame in _frames(root)}
    found, x = [], MARGIN
    for kind, text in _KINDS.items():
        if kind in kinds:
            fill = _rgb(kind)
            found.append(f'<rect x="{x}" y="44" width="11" height="11" fill="{fill}"/>')
            found.append(f'<text x="{x + 16}" y="54">{text}</text>')
            x += 40 + int(len(text) * _CHARACTER)
    return "".join(found)


def _frames(node: Node) -> Iterator[Frame]:
    for child in node.children.values():
        yield child.frame
        yield from _frames(child)


_PAGE = """\
<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width}" height="{height}"
 viewBox="0 0 {width} {height}" data-inner="{inner}" data-margin="{margin}"
 data-character="{character}">
<style>
text {{ font: 12px Verdana, "DejaVu Sans", sans-serif; fill: #111; }}
.f {{ cursor: pointer; }} .f text {{ pointer-events: none; }}
.f:hover rect {{ stroke: #000; stroke-width: 0.7; }}
.dim {{ opacity: 0.55; }} .found rect {{ fill: #b04fd8; }}
.button {{ cursor: pointer; fill: #555; }}
</style>
<rect width="100%" height="100%" fill="#fdfcf8"/>
<text x="{middle}" y="22" text-anchor="middle" style="font-size:16px">{title}</text>
<text x="{middle}" y="40" text-anchor="middle" style="fill:#555">{subtitle}</text>
<g>{legend}</g>
<text id="reset" class="button" x="{right}" y="22" text-anchor="end"></text>
<text id="search" class="button" x="{right}" y="54" text-anchor="end">Search</text>
<text id="shown" x="{margin}" y="{bottom}"></text>
<g id="boxes">
{boxes}
</g>
<script><![CDATA[
{script}
]]></script>
</svg>
"""

_SCRIPT = """\
(function () {
  var svg = document.documentElement, data = svg.dataset;
  var inner = +data.inner, margin = +data.margin, character = +data.character;
  var boxes = Array.prototype.slice.call(document.querySelectorAll(".f"));
  var shown = document.getElementById("shown"), reset = document.getElementById("reset");
  var search = document.getElementById("search");

  function name(box) { return box.querySelector("title").textContent; }

  function place(box, left, width) {
    var x = +box.dataset.x, w = +box.dataset.w, end = x + w, slack = 1e-6;
    box.style.display = end <= left + slack || x >= left + width - slack ? "none" : "";
    var from = Math.max(x, left), to = Math.min(end, left + width);
    var at = margin + (from - left) / width * inner, wide = (to - from) / width * inner;
    var rect = box.querySelector("rect"), text = box.querySelector("text");
    rect.setAttribute("x", at);
    rect.setAttribute("width", Math.max(wide - 0.5, 0.3));
    text.setAttribute("x", at + 3);
    var full = name(box).replace(/ \\([0-9.]+%\\)$/, "");
    var room = Math.floor((wide - 6) / character);
    if (full.length > room) full = room > 3 ? full.slice(0, room - 1) + "\\u2026" : "";
    text.textContent = full;
  }

  function zoom(target) {
    var left = target ? +target.dataset.x : 0, width = target ? +target.dataset.w : 1;
    var depth = target ? +target.dataset.d : 0;
    boxes.forEach(function (box) {
      place(box, left, width);
      box.classList.toggle("dim", +box.dataset.d < depth);
    });
    reset.textContent = depth ? "Reset zoom" : "";
  }

  function find(pattern) {
    var covered = 0, end = -1, expression = pattern && new RegExp(pattern, "i");
    boxes.forEach(function (box) {
      var hit = Boolean(expression) && expression.test(name(box));
      box.classList.toggle("found", hit);
      // Boxes come callers first, from the left: what lies above one that matched counts once.
      if (hit && +box.dataset.x >= end - 1e-9) {
        covered += +box.dataset.w;
        end = +box.dataset.x + +box.dataset.w;
      }
    });
    search.textContent = expression ? "Matched: " + (100 * covered).toFixed(1) + "%" : "Search";
  }

  boxes.forEach(function (box) {
    box.addEventListener("click", function () { zoom(box); });
    box.addEventListener("mouseover", function () { shown.textContent = name(box); });
    box.addEventListener("mouseout", function () { shown.textContent = ""; });
  });
  reset.addEventListener("click", function () { zoom(null); });
  search.addEventListener("click", function () {
    var pattern = window.prompt("Function names to highlight (a regular expression):", "");
    try { find(pattern); } catch (error) { window.alert(error.message); }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { zoom(null); find(""); }
  });
})();"""
