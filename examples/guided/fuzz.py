"""A coverage-guided fuzzer: python fuzz.py [--random] [--tries N] [--seed N]"""

from __future__ import annotations

import argparse
import random
import string
import sys

import pattern

import quickcover


def changed(data: str) -> str:
    """The same with one character inserted, replaced or removed."""
    at = random.randint(0, len(data))
    new = random.choice(["", random.choice(string.printable)])
    return data[:at] + new + data[at + random.randint(0, 1) :]


def fuzz(tries: int, guided: bool) -> str | None:
    """An input that shows a bug; None if none was found."""
    corpus = [""]
    with quickcover.Session(["pattern"], branch=True, mode="new") as session:
        for number in range(1, tries + 1):
            data = random.choice(corpus)
            for _ in range(random.randint(1, 4)):
                data = changed(data)
            try:
                with session.example() as example:
                    pattern.fill(data, 10)
            except ValueError:
                pass  # a wrong pattern: as it should be
            except Exception as error:
                print(f"{number:7,}: {data!r} raises {error!r}")
                return data
            if example.new and guided:
                corpus.append(data)
                print(f"{number:7,}: {data!r} covers {example.new} more")
            elif not guided:
                corpus = [data if len(data) < 8 else ""]
    print(f"nothing in {tries:,} tries; {len(session.seen)} places seen")
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", action="store_true", help="don't let coverage guide")
    parser.add_argument("--tries", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    sys.exit(fuzz(options.tries, not options.random) is not None)
