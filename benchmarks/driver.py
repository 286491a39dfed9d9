"""The measured process: switch one tool on, run one workload, switch it off, report the times.

    python driver.py JSON

JSON is an object: tool (Tool.as_json), path, n, warm_up, source, data; with "leave", the process
ends without stopping the tool. The answer is one line of JSON on stdout. This file imports nothing
that `none` would not need anyway, and is not measured.
    {"op": "facts"} and {"op": "lines", "data": FILE} tell about the interpreter and a data file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import sys
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType
from typing import Any

Stop = Callable[[], None]


def user_seconds() -> float:
    """User CPU time of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def resident() -> int:
    """Bytes of resident memory; 0 where /proc does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def start_none(tool: dict[str, Any], source: str, data: str) -> Stop:
    """Nothing is measured."""
    return lambda: None


def start_empty_trace(tool: dict[str, Any], source: str, data: str) -> Stop:
    """The limit of every trace function: a C function that returns at once."""
    from quickcover import _native

    limit = _native.EmptyTrace()
    limit.start()
    return limit.stop


def start_empty_monitoring(tool: dict[str, Any], source: str, data: str) -> Stop:
    """The limit of sys.monitoring: C callbacks that return DISABLE at once."""
    from quickcover import _native

    limit = _native.EmptyMonitoring()
    limit.start(tool["branch"])
    return limit.stop


def start_quickcover(tool: dict[str, Any], source: str, data: str) -> Stop:
    """coverage.py with our engine, named by QUICKCOVER_ENGINE."""
    import quickcover

    quickcover.install()
    return start_coverage(tool, source, data)


def start_coverage(tool: dict[str, Any], source: str, data: str) -> Stop:
    """coverage.py with the core named by COVERAGE_CORE."""
    import coverage

    cov = coverage.Coverage(
        data_file=data, branch=tool["branch"], source=[source], config_file=False
    )
    cov.start()
    collector: Any = cov._collector
    tracer = collector.tracer_name()
    if tracer != tool["tracer"]:
        cov.stop()
        sys.exit(f"measured by {tracer} instead of {tool['tracer']}")

    def stop() -> None:
        cov.stop()
        cov.save()

    return stop


def start_slipcover(tool: dict[str, Any], source: str, data: str) -> Stop:
    """SlipCover, as its own command switches it on."""
    import slipcover
    from slipcover import importer

    measuring = slipcover.Slipcover(branch=tool["branch"], source=[source])
    matcher = importer.FileMatcher(sources=[source])
    importer.ImportManager(measuring, matcher).__enter__()
    importer.wrap_spec_from_file_location(measuring, matcher)

    def stop() -> None:
        with open(data, "w", encoding="utf-8") as file:
            json.dump(measuring.get_coverage(), file)

    return stop


START: dict[str, Callable[[dict[str, Any], str, str], Stop]] = {
    "none": start_none,
    "empty-trace": start_empty_trace,
    "empty-monitoring": start_empty_monitoring,
    "coverage": start_coverage,
    "slipcover": start_slipcover,
    "quickcover": start_quickcover,
}


def load(path: str) -> ModuleType:
    """Import a module by its path, with its .pyc file."""
    spec = importlib.util.spec_from_file_location("workload", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["workload"] = module
    spec.loader.exec_module(module)
    return module


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Run one workload; times are user CPU seconds, `start` counts from the process's start."""
    tool = job["tool"]
    stop = START[tool["kind"]](tool, job["source"], job["data"])
    started = user_seconds()
    module = load(job["path"])
    if job["warm_up"]:
        module.run(job["warm_up"])
    memory = resident()
    before = user_seconds()
    checksum = module.run(job["n"])
    after = user_seconds()
    growth = resident() - memory
    if job.get("leave"):
        print("{}", flush=True)
        os._exit(0)
    stop()
    stopped = user_seconds()
    return {
        "start": started,
        "body": after - before,
        "finish": stopped - after,
        "growth": growth,
        "checksum": repr(checksum),
    }


def weigh(job: dict[str, Any]) -> dict[str, Any]:
    """Memory taken while a workload runs: `what` is units, resident or traced."""
    import gc

    if job["what"] == "units":
        return code_units(job)
    # Modules that coverage.py shares with the workload must not count for one tool alone.
    for name in ("coverage", "quickcover", "sqlite3"):
        importlib.import_module(name)
    stop = START[job["tool"]["kind"]](job["tool"], job["source"], job["data"])
    module = load(job["path"])
    traced = job["what"] == "traced"
    if traced:
        import tracemalloc

        tracemalloc.start(1)
    gc.collect()
    before = resident()
    module.run(1)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] if traced else resident() - before
    core = 0
    if job["tool"]["kind"] == "quickcover":
        from quickcover import _native

        core = _native.live()["bytes"]
    stop()
    return {"bytes": grown, "core": core}


def code_units(job: dict[str, Any]) -> dict[str, Any]:
    """How many code objects of the source run, and how many code units they have.

    `made` is how many units those and the code of the functions have that they make, which an
    engine may have to change before it runs.
    """
    module = load(job["path"])
    seen: dict[int, CodeType] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code.co_filename.startswith(job["source"]):
            seen[id(code)] = code

    sys.setprofile(note)
    module.run(1)
    sys.setprofile(None)
    made = {
        id(item): item
        for code in seen.values()
        for item in code.co_consts
        if isinstance(item, CodeType)
    }
    return {
        "codes": len(seen),
        "units": sum(len(code.co_code) // 2 for code in seen.values()),
        "made": sum(len(code.co_code) // 2 for code in {**made, **seen}.values()),
    }


def installed(name: str) -> float:
    """When pip installed a package; 0 if unknown."""
    import importlib.metadata

    try:
        record = importlib.metadata.distribution(name).locate_file("")
        found = list(importlib.metadata.files(name) or ())
    except importlib.metadata.PackageNotFoundError:
        return 0.0
    for path in found:
        if path.name == "RECORD":
            return os.stat(os.path.join(str(record), str(path))).st_mtime
    return 0.0


def facts(job: dict[str, Any]) -> dict[str, Any]:
    """What is installed here."""
    import importlib.metadata
    import platform
    import sysconfig

    packages = {}
    for name in ("coverage", "quickcover", "slipcover", "sympy", "mpmath"):
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "implementation": sys.implementation.name,
        "version": platform.python_version(),
        "build": " ".join(platform.python_build()),
        "compiler": platform.python_compiler(),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "packages": packages,
        "installed": installed("quickcover"),
        "package_dir": {
            name: next(iter(spec.submodule_search_locations))
            for name in job.get("packages", [])
            if (spec := importlib.util.find_spec(name)) and spec.submodule_search_locations
        },
    }


def lines(job: dict[str, Any]) -> dict[str, Any]:
    """How many files and lines a data file holds."""
    import coverage

    data = coverage.CoverageData(job["data"])
    data.read()
    counts = [len(data.lines(name) or ()) for name in data.measured_files()]
    return {"files": sum(count > 0 for count in counts), "lines": sum(counts)}


OPERATIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "measure": measure,
    "weigh": weigh,
    "facts": facts,
    "lines": lines,
}


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    print(json.dumps(OPERATIONS[request["op"]](request)))
