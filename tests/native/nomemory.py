"""Every allocation that Python makes while it measures fails, one at a time: run by test_oom.py.

    python -m tests.native.nomemory ENGINE BRANCH FIRST LAST

Each in a child process of its own; ENGINE may be "none", to see what CPython does by itself. Prints
how often all was right, an error was raised or kept, hits were missing without an error, another
exception came out (CPython makes SystemError of a MemoryError now and then), or the child crashed.
"""

from __future__ import annotations

import dis
import gc
import json
import os
import sys
from _testcapi import remove_mem_hooks, set_nomemory

from quickcover import _native

from .measuring import SOURCE, measure, measures, program, tracer_for

RIGHT, FAILED, LOST, OTHER_ERROR = range(4)


def gave_back_twice(error: BaseException) -> bool:
    """Is it of a MAKE_FUNCTION? On 3.12 and 3.13 that has given one reference too many back.

    To what, and so what breaks in the end, is chance: the process is of no more use.
    """
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    if where is None:
        return False
    return where.tb_frame.f_code.co_code[where.tb_lasti] == dis.opmap["MAKE_FUNCTION"]


def attempt(engine: str, branch: bool, fail_at: int, whole: int) -> int:
    """Measure while an allocation fails: what came of it; `whole` hits are expected."""
    if engine == "none":
        return attempt_unmeasured(fail_at)
    store = _native.Store(branch=branch)
    tracer = tracer_for(engine, store, measures("program.py"))
    code = compile(SOURCE, "program.py", "exec")
    names: dict[str, object] = {"__name__": "program"}
    failed = False
    gc.collect()
    set_nomemory(fail_at, fail_at + 1)
    try:
        tracer.start()
        exec(code, names)
    except MemoryError as error:
        remove_mem_hooks()
        if gave_back_twice(error):
            os._exit(FAILED)
        failed = True
    except RuntimeError as error:
        remove_mem_hooks()
        return FAILED if "could not be set" in str(error) else OTHER_ERROR
    except Exception:
        remove_mem_hooks()
        return OTHER_ERROR
    try:
        tracer.stop()
    except MemoryError:
        failed = True
    remove_mem_hooks()
    tracer.stop()
    error = store.take_error()
    drained = store.drain().get("program.py", [])
    if failed or isinstance(error, MemoryError):
        return FAILED
    return RIGHT if error is None and len(drained) == whole else LOST


def attempt_unmeasured(fail_at: int) -> int:
    code = compile(SOURCE, "program.py", "exec")
    names: dict[str, object] = {"__name__": "program"}
    gc.collect()
    set_nomemory(fail_at, fail_at + 1)
    try:
        exec(code, names)
    except MemoryError as error:
        remove_mem_hooks()
        if gave_back_twice(error):
            os._exit(FAILED)
        return FAILED
    except Exception:
        return OTHER_ERROR
    finally:
        remove_mem_hooks()
    return RIGHT


def main() -> int:
    engine, branch = sys.argv[1], sys.argv[2] == "True"
    gc.disable()
    whole = 0
    if engine != "none":
        whole = len(measure(engine, program(), "program.py", branch=branch)["program.py"])
    counts = dict.fromkeys(("right", "failed", "lost", "other error", "crash"), 0)
    for n in range(int(sys.argv[3]), int(sys.argv[4])):
        child = os.fork()
        if child == 0:
            os._exit(attempt(engine, branch, n, whole))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        counts[list(counts)[status] if 0 <= status <= OTHER_ERROR else "crash"] += 1
    print(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
