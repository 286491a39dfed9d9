"""Hypothesis, guided by coverage: python given.py [--stock] [--examples N] [--seed N]"""

from __future__ import annotations

import argparse
import contextlib
import sys

import image
from hypothesis import given, seed, settings
from hypothesis import strategies as st

import quickcover
import quickcover.hypothesis

session = quickcover.Session(["image"], branch=True)
quickcover.hypothesis.register(session)


@given(st.binary(max_size=20))
def test_header(data: bytes) -> None:
    with contextlib.suppress(ValueError):  # no header: as it should be
        image.header(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--stock", action="store_true", help="use Hypothesis's own backend")
    parser.add_argument("--examples", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chosen = settings(
        backend="hypothesis" if options.stock else "quickcover",
        max_examples=options.examples,
        database=None,
    )
    with session:
        try:
            chosen(seed(options.seed)(test_header))()
        except ZeroDivisionError as error:
            sys.exit("\n".join([repr(error), *error.__notes__]))
    print(f"nothing in {options.examples:,} examples; {len(session.seen)} places seen")
