"""Greenlets and event loops: without `concurrency`, what ctrace has when it is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ..conftest import Runner
from ..seam.programs import write
from ..seam.same import same

pytestmark = pytest.mark.slow

WORK = """\
def work(x, pause):
    for i in range(x):
        if i % 2:
            pause()
        else:
            last = i
    try:
        pause()
        if x == 2:
            raise ValueError(x)
    except ValueError:
        pause()
        return -1
    return x

async def awork(x, pause):
    async def numbers():
        for i in range(x):
            await pause()
            yield i
    total = 0
    async for i in numbers():
        if i > 100:
            total = "never"
    try:
        await pause()
        if x == 2:
            raise ValueError(x)
    except ValueError:
        return -1
    return total
"""

#: A program each, and what ctrace must be told.
PROGRAMS = {
    "greenlet": (
        "concurrency = greenlet",
        """\
import greenlet
hub = greenlet.getcurrent()
waiting = [greenlet.greenlet(work) for _ in range(4)]
running = {g: None for g in waiting}
for n, g in enumerate(waiting):
    g.switch(n, hub.switch)
while any(not g.dead for g in waiting):
    for g in waiting:
        if not g.dead:
            g.switch()
""",
    ),
    "gevent": (
        "concurrency = gevent",
        """\
import gevent
jobs = [gevent.spawn(work, n, gevent.sleep) for n in range(4)]
gevent.joinall(jobs)
print([job.value for job in jobs])
""",
    ),
    "gevent, patched": (
        "concurrency = gevent",
        """\
import gevent.monkey
gevent.monkey.patch_all()
import threading, time
threads = [threading.Thread(target=work, args=(n, lambda: time.sleep(0))) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
""",
    ),
    "eventlet": (
        "concurrency = eventlet",
        """\
import eventlet
pool = eventlet.GreenPool(3)
print(list(pool.imap(lambda n: work(n, eventlet.sleep), range(4))))
""",
    ),
    "asyncio": (
        "",
        """\
import asyncio
async def main():
    print(await asyncio.gather(*(awork(n, lambda: asyncio.sleep(0)) for n in range(1, 4))))
    print(await asyncio.to_thread(work, 2, lambda: None))
asyncio.run(main())
""",
    ),
    "trio": (
        "",
        """\
import trio
async def main():
    async with trio.open_nursery() as nursery:
        for n in range(1, 4):
            nursery.start_soon(awork, n, trio.lowlevel.checkpoint)
    print(await trio.to_thread.run_sync(work, 2, lambda: None))
trio.run(main)
""",
    ),
    "sqlalchemy": (
        "concurrency = greenlet, thread",
        """\
import asyncio
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine
async def main():
    engine = create_async_engine("sqlite+aiosqlite://")
    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def before(connection, cursor, statement, *rest):
        if "2" in statement:
            work(2, lambda: None)
    async with engine.begin() as connection:
        for n in range(1, 4):
            result = await connection.execute(text(f"select {n}"))
            await connection.run_sync(lambda c: work(c.execute(text("select 3")).scalar(), len))
            print(result.scalar())
    await engine.dispose()
asyncio.run(main())
""".replace("scalar(), len", "scalar(), lambda: None"),
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", PROGRAMS)
def test_concurrency(run_python: Runner, tmp_path: Path, kind: str) -> None:
    only_ctrace, program = PROGRAMS[kind]
    write(tmp_path, work=WORK, program=f"from work import awork, work\n{program}")
    # ctrace looks which greenlet runs only at calls and returns: after a bare switch, it takes
    # lines for those of another greenlet, and loses them.
    sees_more = kind == "greenlet"
    config = "source = ."
    found = same(
        run_python,
        tmp_path,
        "program.py",
        config=config,
        only_ctrace=only_ctrace,
        sees_more=sees_more,
    )
    if sees_more:
        report: Any = found.report
        assert not report["program.py"]["missing_lines"] + report["program.py"]["missing_branches"]
        missing = [line for line in report["work.py"]["missing_lines"] if line < 16]
        missing += [arc for arc in report["work.py"]["missing_branches"] if arc[0] < 16]
        assert not missing  # of work(), all of which runs
