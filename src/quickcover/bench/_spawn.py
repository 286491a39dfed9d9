"""Run one command, and tell what it used: python -I -S _spawn.py FD COMMAND...

Linux counts into a process's peak memory that of the process which started it. So this one, smaller
than any Python program that loads `site`, stands between. It writes status, user and system CPU
seconds (of the command and the children it waited for), wall seconds and peak memory to FD.
"""

import os
import sys
import time


def main() -> None:
    """The command."""
    report, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report, False)
    began = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    status = os.waitstatus_to_exitcode(status)
    told = f"{status} {usage.ru_utime} {usage.ru_stime} {wall} {memory}"
    os.write(report, told.encode())


if __name__ == "__main__":
    main()
