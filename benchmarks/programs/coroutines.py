"""Coroutines on a small event loop of our own: tasks that sleep, queue, wait and are cancelled."""

from __future__ import annotations

import heapq
import sys
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Generator
from typing import Any

DEFAULT_N = 6_300
ITEMS = 150


class Cancelled(Exception):
    """Thrown into a task that should end."""


class Pause:
    """What a coroutine awaits to hand a request to the loop."""

    def __init__(self, *request: Any) -> None:
        self.request = request

    def __await__(self) -> Generator[tuple[Any, ...], Any, Any]:
        return (yield self.request)


class Task:
    """A coroutine under way, and its result."""

    def __init__(self, coroutine: Coroutine[Any, Any, int]) -> None:
        self.coroutine = coroutine
        self.waiters: list[Task] = []
        self.result = 0
        self.done = False
        self.cancelled = False


class Loop:
    """Ready tasks in a queue, sleeping ones in a heap ordered by time."""

    def __init__(self) -> None:
        self.ready: deque[tuple[Task, Any]] = deque()
        self.sleeping: list[tuple[int, int, Task]] = []
        self.now = 0
        self.sequence = 0

    def spawn(self, coroutine: Coroutine[Any, Any, int]) -> Task:
        task = Task(coroutine)
        self.ready.append((task, None))
        return task

    def run(self) -> None:
        """Let every ready task do one step, then move the time on, until all are done."""
        while self.ready or self.sleeping:
            for _ in range(len(self.ready)):
                task, value = self.ready.popleft()
                if not task.done:
                    self.step(task, value)
            self.now = self.now + 1 if self.ready or not self.sleeping else self.sleeping[0][0]
            while self.sleeping and self.sleeping[0][0] <= self.now:
                self.ready.append((heapq.heappop(self.sleeping)[2], None))

    def step(self, task: Task, value: Any) -> None:
        try:
            if task.cancelled:
                request = task.coroutine.throw(Cancelled())
            else:
                request = task.coroutine.send(value)
        except StopIteration as stop:
            self.finish(task, stop.value)
        except Cancelled:
            self.finish(task, -1)
        else:
            self.serve(task, request)

    def serve(self, task: Task, request: tuple[Any, ...]) -> None:
        kind = request[0]
        if kind == "sleep":
            self.sequence += 1
            heapq.heappush(self.sleeping, (self.now + request[1], self.sequence, task))
        elif kind == "join":
            other: Task = request[1]
            if other.done:
                self.ready.append((task, other.result))
            else:
                other.waiters.append(task)
        elif kind == "yield":
            self.ready.append((task, None))
        else:
            raise ValueError(f"unknown request {kind}")

    def finish(self, task: Task, result: int) -> None:
        task.done = True
        task.result = result
        for waiter in task.waiters:
            self.ready.append((waiter, result))


class Channel:
    """A bounded queue between coroutines; None says that nothing more will come."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.items: deque[int | None] = deque()

    async def put(self, item: int | None) -> None:
        while len(self.items) >= self.size:
            await Pause("yield")
        self.items.append(item)

    async def get(self) -> int | None:
        while not self.items:
            await Pause("yield")
        return self.items.popleft()

    async def __aiter__(self) -> AsyncIterator[int]:
        while True:
            item = await self.get()
            if item is None:
                return
            yield item


async def produce(channel: Channel, count: int) -> int:
    for i in range(count):
        await channel.put(i)
        if i % 10 == 0:
            await Pause("sleep", 1 + i % 3)
    await channel.put(None)
    return count


async def transform(source: Channel, target: Channel) -> int:
    handled = 0
    async for item in source:
        if item < 0:
            raise ValueError("negative items are never produced")
        handled += 1
        await target.put(item * item)
    await target.put(None)
    return handled


async def consume(channel: Channel) -> int:
    total = 0
    async for item in channel:
        total += item if item & 1 else -item
    return total


async def forever() -> int:
    ticks = 0
    try:
        while True:
            await Pause("sleep", 5)
            ticks += 1
    finally:
        ticks = 0


async def conduct(loop: Loop, results: list[int]) -> int:
    first, second = Channel(4), Channel(8)
    background = loop.spawn(forever())
    tasks = [
        loop.spawn(produce(first, ITEMS)),
        loop.spawn(transform(first, second)),
        loop.spawn(consume(second)),
    ]
    for task in tasks:
        results.append(await Pause("join", task))
    background.cancelled = True
    return len(results)


def run(n: int) -> int:
    """Run `n` loops to their end."""
    total = 0
    for _ in range(n):
        loop = Loop()
        results: list[int] = []
        loop.spawn(conduct(loop, results))
        loop.run()
        total += sum(results) + loop.now
    return total


def main(argv: list[str]) -> None:
    """Run N loops and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
