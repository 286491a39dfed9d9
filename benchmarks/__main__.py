"""`python -m benchmarks` is `python benchmarks/run.py`; with `render`, benchmarks/render.py."""

import sys

if sys.argv[1:2] == ["render"]:
    from benchmarks.render import main as render

    sys.exit(render(sys.argv[2:]))

from benchmarks.run import main

sys.exit(main())
