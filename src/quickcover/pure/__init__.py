"""The engine `python`: instrumented bytecode, in pure Python.

No trace function, no C: measured code is rewritten before it runs, so that it stores a 1 wherever
a line or a side of a branch is reached.  A JIT compiles such a store to one machine instruction.

- `bytecode` knows what instructions and exception tables look like, `locations` what line tables do
  (PyPy 3.11's, and CPython 3.11's);
- `plan` decides where a code object needs stores, and which lines and arcs they mean;
- `rewrite` puts them in;
- `cache` keeps what `rewrite` wrote from run to run;
- `waking` makes functions instrument themselves when they are called for the first time;
- `store` has the records of all that was instrumented, and what was collected from them;
- `tracer` gets hold of code before it runs, and is what coverage.py sees;
- `paths` tells the real path of a source file;
- `session` is what quickcover.Session is made of there.

Nothing here imports coverage.py or the C extension.
"""

from quickcover.pure.paths import real_path
from quickcover.pure.store import Store
from quickcover.pure.tracer import PythonTracer

__all__ = ["PythonTracer", "Store", "real_path"]
