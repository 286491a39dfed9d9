"""A large set of code that runs at least once: import sympy, and use many parts of it."""

from __future__ import annotations

import importlib
import sys

DEFAULT_N = 1


def run(n: int) -> str:
    """Import the package and do some algebra (if n > 0)."""
    if not n:
        return ""
    sp = importlib.import_module("sympy")
    x, y = sp.symbols("x y")
    results = [
        sp.integrate(sp.exp(x) * sp.sin(x), x),
        sp.solve([x**2 + y - 3, x - y], [x, y]),
        sp.factor(x**5 - x**4 - 2 * x**3 + 2 * x**2 + x - 1),
        sp.series(sp.cos(x) / (1 + x), x, 0, 6),
        sp.limit(sp.sin(3 * x) / x, x, 0),
        sp.Matrix([[1, x], [y, 2]]).inv(),
        sp.simplify(sp.sin(x) ** 2 + sp.cos(x) ** 2),
        sp.dsolve(sp.Function("f")(x).diff(x, 2) + sp.Function("f")(x)),
        sp.summation(x**2, (x, 1, y)),
        sp.factorint(2**61 + 1),
        sp.latex(sp.Integral(sp.sqrt(x), x)),
    ]
    return "; ".join(map(str, results))


def main(argv: list[str]) -> None:
    """Compute, and print the results."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
