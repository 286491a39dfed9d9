"""A small operating system, in the spirit of Richards: processes of six kinds pass messages.

A clock hands out ticks to two devices, a worker asks them for jobs through two routers, and the
kernel always runs the process of highest priority that has something to do.
"""

from __future__ import annotations

import sys
from collections import deque

DEFAULT_N = 190
TICKS = 2_000
WORK, DISK, NET = range(3)
BLOCK = 4


class Message:
    """A job on its way: its kind, its sender, and four characters of payload."""

    __slots__ = ("kind", "payload", "position", "sender")

    def __init__(self, kind: int, sender: Process) -> None:
        self.kind = kind
        self.sender = sender
        self.position = 0
        self.payload = [0] * BLOCK


class Process:
    """What the kernel schedules: an inbox and two flags."""

    def __init__(self, kernel: Kernel, name: str, priority: int) -> None:
        self.kernel = kernel
        self.name = name
        self.priority = priority
        self.inbox: deque[Message] = deque()
        self.held = False
        self.waiting = True
        self.steps = 0

    def ready(self) -> bool:
        if self.held:
            return False
        return bool(self.inbox) or not self.waiting

    def receive(self, message: Message) -> None:
        self.inbox.append(message)
        self.waiting = False

    def step(self) -> None:
        raise NotImplementedError(self.name)


class Device(Process):
    """Takes one message at a time and returns it at the next tick."""

    def __init__(self, kernel: Kernel, name: str, priority: int) -> None:
        super().__init__(kernel, name, priority)
        self.pending: Message | None = None

    def step(self) -> None:
        pending = self.pending
        if pending is None:
            if not self.inbox:
                self.waiting = True
                return
            self.pending = self.inbox.popleft()
            self.kernel.hold(self)
            return
        self.pending = None
        self.kernel.deliver(pending, pending.sender)
        if not self.inbox:
            self.waiting = True


class Router(Process):
    """Feeds the characters of jobs to a device, one message each."""

    def __init__(self, kernel: Kernel, name: str, priority: int, device: Device) -> None:
        super().__init__(kernel, name, priority)
        self.device = device
        self.jobs: deque[Message] = deque()
        self.free: deque[Message] = deque(Message(DISK, self) for _ in range(3))
        self.total = 0

    def step(self) -> None:
        while self.inbox:
            message = self.inbox.popleft()
            if message.kind == WORK:
                self.jobs.append(message)
            else:
                self.free.append(message)
        if self.jobs and self.free:
            self.feed(self.jobs[0])
            return
        self.waiting = True

    def feed(self, job: Message) -> None:
        if job.position >= BLOCK:
            self.jobs.popleft()
            self.kernel.deliver(job, job.sender)
            return
        packet = self.free.popleft()
        packet.position = job.payload[job.position]
        self.total += packet.position
        job.position += 1
        self.kernel.deliver(packet, self.device)


class Worker(Process):
    """Fills jobs with letters and gives them to the routers in turn."""

    def __init__(self, kernel: Kernel, name: str, priority: int) -> None:
        super().__init__(kernel, name, priority)
        self.routers: list[Router] = []
        self.turn = 0
        self.letter = 0

    def step(self) -> None:
        if not self.inbox:
            self.waiting = True
            return
        job = self.inbox.popleft()
        job.position = 0
        for index in range(BLOCK):
            self.letter += 1
            if self.letter > 26:
                self.letter = 1
            job.payload[index] = self.letter
        self.turn = 1 - self.turn
        self.kernel.deliver(job, self.routers[self.turn])


class Clock(Process):
    """The lowest priority: counts down and releases one of the devices at each tick."""

    def __init__(self, kernel: Kernel, name: str, ticks: int) -> None:
        super().__init__(kernel, name, 0)
        self.left = ticks
        self.pattern = 1
        self.devices: list[Device] = []
        self.waiting = False

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.kernel.running = False
            return
        if self.pattern & 1:
            self.pattern = (self.pattern >> 1) ^ 0xD008
            chosen = 1
        else:
            self.pattern >>= 1
            chosen = 0
        for device in (self.devices[chosen], self.devices[1 - chosen]):
            if device.held:
                self.kernel.release(device)
                break


class Kernel:
    """The scheduler and the only way from one process to another."""

    def __init__(self, ticks: int) -> None:
        self.running = True
        self.delivered = 0
        self.switches = 0
        self.clock = Clock(self, "clock", ticks)
        disk, net = Device(self, "disk", 5), Device(self, "net", 4)
        worker = Worker(self, "worker", 1)
        routers = [Router(self, "router a", 3, disk), Router(self, "router b", 2, net)]
        worker.routers = routers
        self.clock.devices = [disk, net]
        self.processes: list[Process] = [self.clock, worker, disk, net, *routers]
        self.processes.sort(key=lambda process: -process.priority)
        for _ in range(4):
            worker.receive(Message(WORK, worker))

    def deliver(self, message: Message, receiver: Process) -> None:
        self.delivered += 1
        receiver.receive(message)

    def hold(self, process: Process) -> None:
        if process.held:
            raise RuntimeError(f"{process.name} is held already")
        process.held = True

    def release(self, process: Process) -> None:
        if not process.held:
            raise RuntimeError(f"{process.name} is not held")
        process.held = False

    def next_process(self) -> Process | None:
        for process in self.processes:
            if process.ready():
                return process
        return None

    def loop(self) -> None:
        while self.running:
            process = self.next_process()
            if process is None:
                raise RuntimeError("nothing can run: the clock never waits")
            process.steps += 1
            self.switches += 1
            process.step()


def run(n: int) -> tuple[int, int, int]:
    """Boot the system `n` times and let it run until its clock is done."""
    delivered = switches = total = 0
    for _ in range(n):
        kernel = Kernel(TICKS)
        kernel.loop()
        delivered += kernel.delivered
        switches += kernel.switches
        total += sum(p.total for p in kernel.processes if isinstance(p, Router))
    return delivered, switches, total


def main(argv: list[str]) -> None:
    """Run N simulations and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
