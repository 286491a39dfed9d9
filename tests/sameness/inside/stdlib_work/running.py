"""Event loops, threads, processes, test runners: code that runs other code."""

from __future__ import annotations

import _threading_local
import asyncio
import concurrent.futures
import contextlib
import contextvars
import doctest
import io
import multiprocessing
import multiprocessing.dummy
import multiprocessing.pool
import multiprocessing.shared_memory
import os
import queue
import socket
import sys
import tempfile
import threading
import unittest
import unittest.mock
import zoneinfo
from collections.abc import AsyncIterator
from typing import Any

from .tools import attempt


async def value(n: int) -> int:
    await asyncio.sleep(0)
    return n


async def fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("no")


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def work_asyncio_tasks() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(value(1), value(2))
        await asyncio.gather(fail(), value(1), return_exceptions=True)
        for when in (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED):
            done, waiting = await asyncio.wait(
                [loop.create_task(value(n)) for n in range(2)],
                return_when=when,
            )
            await asyncio.gather(*waiting)
        for coming in asyncio.as_completed([value(1), value(2)]):
            await coming
        task = asyncio.create_task(forever(), name="t")
        await asyncio.sleep(0)
        task.get_stack(), task.print_stack(file=io.StringIO()), repr(task), asyncio.current_task()
        asyncio.all_tasks(), task.cancel("why"), task.cancelling()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(forever(), 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0) as limit:
                await forever()
        limit.expired(), limit.when(), repr(limit), await asyncio.wait_for(value(1), 100)
        await asyncio.shield(value(3))
        with contextlib.suppress(BaseExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fail()), group.create_task(forever())
        async with asyncio.TaskGroup() as group:
            group.create_task(value(1))
        repr(group), await asyncio.to_thread(len, "abc"), await loop.run_in_executor(None, len, "x")
        future = loop.create_future()
        future.add_done_callback(lambda f: None), loop.call_soon(future.set_result, 1), await future
        repr(future), attempt(future.set_result, 2), future.exception()
        asyncio.isfuture(future)
        asyncio.iscoroutinefunction(value) if sys.version_info < (3, 14) else 0
        asyncio.ensure_future(future), attempt(asyncio.run, None)
        await asyncio.sleep(0.1)  # so that waiting for the clock is measured in every run
        handle = loop.call_later(1000, print)
        handle.when(), repr(handle), handle.cancel(), handle.cancelled(), loop.time()
        loop.get_debug(), loop.is_running(), repr(loop), loop.set_exception_handler(lambda *_: None)
        loop.call_exception_handler({"message": "m"})

        async def numbers() -> AsyncIterator[int]:
            try:
                for n in range(5):
                    yield n
            finally:
                await asyncio.sleep(0)

        async for n in numbers():
            if n == 2:
                break
        [n async for n in numbers() if n]
        await loop.shutdown_asyncgens()

    asyncio.run(main())


def work_asyncio_pure() -> None:
    with asyncio.Runner(debug=True) as runner:
        runner.run(value(1)), runner.get_loop()
    pure = asyncio.tasks._PyTask
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(pure(value(1), loop=loop))
        attempt(loop.run_until_complete, pure(fail(), loop=loop))
        asyncio.futures._PyFuture(loop=loop).cancel()
        loop.set_task_factory(lambda loop, coroutine, **named: pure(coroutine, loop=loop))
        loop.run_until_complete(value(2)), attempt(loop.run_until_complete, 5), repr(loop)
    finally:
        loop.close()
    attempt(loop.call_soon, print), loop.is_closed()


def work_asyncio_sync() -> None:
    async def main() -> None:
        lock, event, condition = asyncio.Lock(), asyncio.Event(), asyncio.Condition()
        semaphore, barrier = asyncio.BoundedSemaphore(1), asyncio.Barrier(2)

        async def worker(n: int) -> None:
            async with lock, semaphore:
                await asyncio.sleep(0)
            await event.wait()
            async with condition:
                await condition.wait_for(lambda: event.is_set()), condition.notify_all()
            await barrier.wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(worker(1)), group.create_task(worker(2))
            await asyncio.sleep(0)
            event.set()
        event.clear(), attempt(semaphore.release), attempt(lock.release)
        [repr(thing) for thing in (lock, event, condition, semaphore, barrier)], lock.locked()
        for kind in (asyncio.Queue, asyncio.PriorityQueue, asyncio.LifoQueue):
            line = kind(2)
            await line.put(1), line.put_nowait(2), attempt(line.put_nowait, 3), line.full()
            line.qsize(), repr(line)
            blocked = asyncio.create_task(line.put(3))
            await asyncio.sleep(0)
            line.get_nowait(), await line.get(), await blocked, line.task_done(), line.task_done()
            await line.get(), line.task_done(), await line.join(), attempt(line.get_nowait)
            attempt(line.task_done), line.empty()
            waiting = asyncio.create_task(line.get())
            await asyncio.sleep(0)
            waiting.cancel(), await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(main())


def work_asyncio_streams() -> None:
    async def main() -> None:
        left, right = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=left)
        other, back = await asyncio.open_connection(sock=right)
        writer.write(b"one\ntwo|xyz"), await writer.drain(), writer.writelines([b"a", b"b"])
        writer.get_extra_info("socket"), writer.can_write_eof(), writer.is_closing(), repr(writer)
        repr(reader)
        await other.readline(), await other.readuntil(b"|"), await other.readexactly(5)
        writer.write_eof(), await other.read(), other.at_eof()
        with contextlib.suppress(asyncio.IncompleteReadError):
            await other.readexactly(3)
        back.close(), await back.wait_closed(), writer.close(), await writer.wait_closed()
        fed = asyncio.StreamReader(limit=4)
        fed.feed_data(b"123456789\n")
        for separator in (b"\n", b""):
            with contextlib.suppress(asyncio.LimitOverrunError, ValueError):
                await fed.readuntil(separator)
        fed.feed_eof(), fed.set_exception(ValueError()), fed.exception()

        async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
            outgoing.write(await incoming.readline()), await outgoing.drain(), outgoing.close()

        with tempfile.TemporaryDirectory() as top:
            path = os.path.join(top, "s")
            async with await asyncio.start_unix_server(serve, path) as server:
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(b"echo\n"), await reader.readline(), writer.close(), server.sockets
                server.is_serving(), repr(server), server.get_loop()

        class Datagrams(asyncio.DatagramProtocol):
            def __init__(self) -> None:
                self.got = asyncio.get_running_loop().create_future()

            def datagram_received(self, data: bytes, address: Any) -> None:
                self.got.set_result(data)

        loop = asyncio.get_running_loop()
        one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        transport, protocol = await loop.create_datagram_endpoint(Datagrams, sock=one)
        two.send(b"dgram"), await protocol.got, transport.close(), two.close()
        left, right = socket.socketpair()
        left.setblocking(False), right.setblocking(False)
        await loop.sock_sendall(left, b"raw"), await loop.sock_recv(right, 2)
        await loop.sock_recv_into(right, bytearray(1)), left.close(), right.close()
        source, sink = os.pipe()
        piped = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(piped),
            os.fdopen(source, "rb"),
        )
        os.write(sink, b"pipe\n"), await piped.readline(), transport.pause_reading()
        transport.resume_reading(), os.close(sink), await piped.read(), transport.close()
        repr(transport)

    asyncio.run(main())


def work_threads() -> None:
    results: queue.Queue[int] = queue.Queue(maxsize=3)
    thread = threading.Thread(target=results.put, args=(1,), name="w", daemon=True)
    thread.start(), thread.join(), repr(thread), thread.is_alive(), attempt(thread.start)
    thread.native_id
    lock, event = threading.RLock(), threading.Event()
    semaphore, barrier = threading.BoundedSemaphore(2), threading.Barrier(1)
    with lock, semaphore, threading.Condition() as held:
        event.set(), event.wait(), barrier.wait(), held, semaphore.acquire(blocking=False)
        semaphore.acquire(blocking=False), semaphore.release()
    attempt(semaphore.release), attempt(semaphore.release), barrier.reset(), barrier.abort()
    attempt(barrier.wait), barrier.broken
    [repr(thing) for thing in (lock, event, semaphore, barrier)], event.clear(), event.wait(0)
    pure = threading._PyRLock()
    with pure:
        pure.acquire(), pure.release(), repr(pure)
    attempt(pure.release), threading.enumerate(), threading.active_count()
    threading.current_thread().name, threading.main_thread().ident, threading.get_ident()
    threading.excepthook
    condition = threading.Condition()
    with condition:
        condition.wait(0), condition.wait_for(lambda: True), condition.notify_all()
    attempt(condition.notify), threading.Timer(1000, print).cancel(), threading.stack_size()
    for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue):
        line: Any = kind(2)
        line.put(2), line.put(1, timeout=1), attempt(line.put_nowait, 3)
        attempt(line.put, 3, timeout=0), line.full(), line.get(), line.get(timeout=1)
        line.task_done(), line.task_done(), line.join(), attempt(line.get_nowait)
        attempt(line.task_done), attempt(line.get, timeout=-1), line.empty(), line.qsize()
    local = _threading_local.local()
    local.x = 1
    thread = threading.Thread(target=lambda: setattr(local, "y", 2))
    thread.start(), thread.join(), local.x, attempt(lambda: local.y), local.__delattr__("x")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(divmod, 7, 2)
        future.result(), future.done(), repr(future), list(pool.map(len, ["a", "bb"], timeout=100))
        concurrent.futures.wait([future]), list(concurrent.futures.as_completed([future]))
        pool.submit(divmod, 1, 0).exception(), future.cancel(), future.add_done_callback(repr)
    attempt(pool.submit, len), attempt(concurrent.futures.ThreadPoolExecutor, 0)
    plain: concurrent.futures.Future[int] = concurrent.futures.Future()
    plain.cancel(), plain.cancelled(), plain.set_running_or_notify_cancel(), attempt(plain.result)
    attempt(concurrent.futures.Future().result, 0), attempt(plain.set_result, 1), repr(plain)
    context = contextvars.copy_context()
    context.run(contextvars.ContextVar("v", default=1).set, 2)


def work_processes() -> None:
    context = multiprocessing.get_context("fork")
    parent, child = context.Pipe()
    process = context.Process(target=child.send, args=({"a": 1},), name="p")
    process.start(), parent.recv(), process.join(), process.exitcode, process.is_alive()
    repr(process), process.close(), parent.close(), child.close()
    repr(multiprocessing.current_process())
    block = multiprocessing.shared_memory.SharedMemory(create=True, size=10)
    block.buf[0] = 1
    repr(block), block.size, block.close(), block.unlink()
    number, row = context.Value("i", 5), context.Array("d", 3)
    lock, event = context.Lock(), context.Event()
    with number.get_lock(), lock:
        number.value += 1
        row[0] = 2.5
    event.set(), event.wait(0), event.is_set(), context.Semaphore(2).acquire()
    context.RLock().acquire(), context.Condition(), context.RawArray("i", [1, 2])[:], repr(lock)
    repr(number), context.Barrier(1).wait()
    simple = context.SimpleQueue()
    simple.put(1), simple.get(), simple.empty(), simple.close()
    with multiprocessing.dummy.Pool(1) as pool:
        pool.map(len, ["a", "b"]), pool.apply(divmod, (7, 2)), pool.starmap(divmod, [(7, 2)])
        list(pool.imap(len, ["a"])), pool.map_async(len, ["x"]).get(), repr(pool)
        pool.close(), pool.join()
    threads = multiprocessing.dummy.Process(target=len, args=("x",))
    threads.start(), threads.join()
    multiprocessing.get_all_start_methods(), multiprocessing.get_start_method(allow_none=True)
    multiprocessing.cpu_count(), multiprocessing.active_children()
    attempt(multiprocessing.get_context, "nope"), attempt(multiprocessing.Process, group=1)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(list)

    def test_pass(self) -> None:
        self.assertEqual([1], [1]), self.assertIn(1, [1]), self.assertIsNone(None)
        self.addCleanup(list)
        self.assertAlmostEqual(1.0, 1.0000000001), self.assertCountEqual([1, 2], [2, 1])
        self.assertRegex("abc", "b"), self.assertDictEqual({}, {})
        with self.assertRaisesRegex(ValueError, "x"):
            raise ValueError("x")
        with self.assertWarns(UserWarning):
            __import__("warnings").warn("w")
        with self.assertLogs("sameness.u") as logs:
            __import__("logging").getLogger("sameness.u").error("e")
        logs.output

    def test_fail(self) -> None:
        self.assertEqual({"a": [1, 2]}, {"a": [1, 3]})

    def test_text(self) -> None:
        self.assertMultiLineEqual("a\nb\n", "a\nc\n")

    def test_sequence(self) -> None:
        self.assertSequenceEqual([1, 2, 3], (1, 2))

    def test_sets(self) -> None:
        self.assertSetEqual({1}, {2})

    def test_not_raised(self) -> None:
        with self.assertRaises(ValueError):
            pass

    def test_error(self) -> None:
        raise KeyError("k")

    @unittest.skip("no")
    def test_skip(self) -> None: ...

    @unittest.expectedFailure
    def test_expected(self) -> None:
        self.fail("yes")

    @unittest.expectedFailure
    def test_unexpected(self) -> None: ...

    def test_sub(self) -> None:
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)


class Async(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.addAsyncCleanup(asyncio.sleep, 0)

    async def test_it(self) -> None:
        await asyncio.sleep(0)


def work_unittest() -> None:
    loader = unittest.TestLoader()
    for options in (
        {"verbosity": 2},
        {"failfast": True, "buffer": True},
        {"verbosity": 0, "tb_locals": True},
    ):
        suite = unittest.TestSuite(
            [loader.loadTestsFromTestCase(Case), loader.loadTestsFromTestCase(Async)]
        )
        unittest.TextTestRunner(io.StringIO(), **options).run(suite)
    case = Case("test_pass")
    for name, arguments in (
        ("assertTrue", (0,)), ("assertFalse", (1,)), ("assertIs", (1, 2)), ("assertIsNot", (1, 1)),
        ("assertIsNot", (case, case)), ("assertNotIn", (1, [1])), ("assertIsInstance", (1, str)),
        ("assertGreater", (1, 2)), ("assertLessEqual", (2, 1)), ("assertNotRegex", ("a", "a")),
        ("assertAlmostEqual", (1, 2)), ("assertNotAlmostEqual", (1, 1)),
        ("assertCountEqual", ([1], [2])), ("assertTupleEqual", ((1,), (2,))),
        ("assertListEqual", ([1] * 900, [2] * 900)), ("assertDictEqual", ({1: 2}, {1: 3})),
        ("assertIsNotNone", (None,)), ("assertLess", (2, 1)),
    ):  # fmt: skip
        attempt(getattr(case, name), *arguments, "message")
    loader.loadTestsFromName("unittest.mock"), loader.loadTestsFromName("no.such.name")
    loader.getTestCaseNames(Case), unittest.FunctionTestCase(list).id(), repr(suite), suite == suite
    case.shortDescription(), str(case), hash(case)
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        unittest.main(module=None, argv=["x", "-q", "-k", "nothing", "unittest.mock"], exit=False)


def work_mock() -> None:
    mock = unittest.mock
    one = mock.MagicMock(name="m", return_value=5)
    one(1, a=2), one.method.return_value.attr, one.assert_called_once_with(1, a=2), one.mock_calls
    one.call_args_list, repr(one), one.method.assert_not_called(), one[3], len(one), one + 1
    one.__str__(), one.reset_mock(), one.configure_mock(x=1), one.attach_mock(mock.Mock(), "at")
    one.mock_add_spec(["q"])
    attempt(one.assert_called), attempt(one.assert_called_with, 1)
    attempt(one.assert_any_call, 1), attempt(one.assert_has_calls, [mock.call(1)])
    attempt(lambda: mock.Mock(spec=int).nothing), attempt(lambda: one.assret_called)
    for effect in ([1, ValueError, 3], lambda *_: mock.DEFAULT, ValueError("x")):
        effectful = mock.Mock(side_effect=effect)
        for _ in range(4):
            attempt(effectful)
    with (
        mock.patch("os.getcwd", return_value="/x") as patched,
        mock.patch.dict(os.environ, {"A": "b"}, clear=False),
        mock.patch.object(queue.Queue, "get", autospec=True),
        mock.patch.multiple("os", getpid=mock.DEFAULT),
    ):
        os.getcwd(), patched.assert_called_once(), queue.Queue().get()

    @mock.patch("os.sep", new="!")
    @mock.patch("os.getcwd")
    def decorated(getcwd: Any) -> None: ...

    decorated(), attempt(mock.patch("no.such.name").start)
    attempt(mock.patch("os.no_such").start), mock.create_autospec(divmod)
    mock.create_autospec(queue.Queue)(1).put(2), mock.seal(one), attempt(lambda: one.new_thing)
    mock.sentinel.x, mock.call.a(1).b == mock.call.a(1).b, mock.ANY == 5, repr(mock.call(1))
    opened = mock.mock_open(read_data="a\nb\n")
    with mock.patch("builtins.open", opened), open("x", encoding="utf-8") as source:
        source.readline(), source.read(), list(source), source.write("q")
    prop = mock.PropertyMock(return_value=3)
    type("P", (), {"x": prop})().x

    async def main() -> None:
        waits = mock.AsyncMock(side_effect=[1, ValueError])
        await waits(1), waits.assert_awaited_once_with(1)
        await asyncio.gather(waits(), return_exceptions=True), attempt(waits.assert_not_awaited)
        waits.assert_has_awaits([mock.call(1)])
        async with mock.MagicMock() as entered:
            entered

    asyncio.run(main())


def work_doctest_zoneinfo() -> None:
    def documented() -> None:
        """
        >>> 1 + 1
        2
        >>> print("a b  c")  # doctest: +NORMALIZE_WHITESPACE
        a b c
        >>> 1/0
        Traceback (most recent call last):
        ZeroDivisionError: division by zero
        >>> [1, 2, 3]  # doctest: +ELLIPSIS
        [1, ..., 3]
        >>> 5
        6
        >>> x = 1  # doctest: +SKIP
        """

    for flags in (
        0,
        doctest.REPORT_UDIFF,
        doctest.REPORT_NDIFF | doctest.FAIL_FAST,
        doctest.REPORT_CDIFF,
    ):
        with contextlib.redirect_stdout(io.StringIO()):
            runner = doctest.DocTestRunner(verbose=flags == 0, optionflags=flags)
            for test in doctest.DocTestFinder().find(documented, "documented"):
                runner.run(test)
            runner.summarize(verbose=True), doctest.run_docstring_examples(documented, {})
            doctest.script_from_examples(documented.__doc__ or "")
    doctest.DocTestSuite("colorsys"), doctest.DocTestParser().get_examples(">>> 1\n1\n")
    attempt(doctest.DocTestParser().get_doctest, "  >>>1", {}, "n", "f", 0)
    attempt(doctest.DebugRunner().run, test)
    import datetime

    pure = zoneinfo._zoneinfo.ZoneInfo if hasattr(zoneinfo, "_zoneinfo") else zoneinfo.ZoneInfo
    from zoneinfo import _zoneinfo

    pure = _zoneinfo.ZoneInfo
    for kind in (pure, zoneinfo.ZoneInfo):
        for name in ("Europe/Berlin", "UTC", "America/New_York", "No/Where", "../x"):
            try:
                zone = kind.no_cache(name)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError):
                continue
            for year in (1900, 1970, 2000, 2024, 2040, 2300):
                for month in (1, 3, 7, 11):
                    moment = datetime.datetime(year, month, 5, 2, tzinfo=zone)
                    moment.utcoffset(), moment.dst(), moment.tzname()
                    moment.astimezone(datetime.UTC).astimezone(zone)
            repr(zone), str(zone), zone.key
    _zoneinfo._parse_tz_str("EST5EDT,M3.2.0,M11.1.0/3"), _zoneinfo._parse_tz_str("<+03>-3")
    _zoneinfo._parse_tz_str("A3B,J60/2,300"), attempt(_zoneinfo._parse_tz_str, "bad,")
    zoneinfo.reset_tzpath(["/nothing"]), zoneinfo.reset_tzpath(), zoneinfo.available_timezones()
