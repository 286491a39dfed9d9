"""Programs at the interpreter's edges. Each prints what it did; `work` is measured beside them."""

from __future__ import annotations

WORK = """\
def work(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
        else:
            total -= 1
    return total
"""

PROGRAMS = {
    "daemon threads at shutdown": """
import threading, time
from work import work
def forever():
    while True:
        work(5)
for _ in range(8):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
print(work(10))
""",
    "fork in a thread": """
import os, threading
from work import work
def child():
    pid = os.fork()
    if pid == 0:
        work(3)
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
for _ in range(10):
    thread = threading.Thread(target=child)
    thread.start()
    thread.join()
print(work(10))
""",
    "garbage collection at threshold 1": """
import gc
from work import work
gc.set_threshold(1)
for number in range(60):
    names = {}
    exec(compile(f"def f(x):\\n    return [x, {number}]\\n", "made.py", "exec"), names)
    assert names["f"](1) == [1, number]
    names["f"].itself = names
print(work(100))
""",
    "threads switched as often as can be": """
import sys, threading
from work import work
sys.setswitchinterval(1e-6)
found = []
def one(number):
    names = {}
    for turn in range(30):
        exec(compile(f"def f(x):\\n    if x:\\n        return {turn}\\n    return 0\\n",
                     "made.py", "exec"), names)
        found.append(names["f"](1) + work(20))
threads = [threading.Thread(target=one, args=(k,)) for k in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), sum(found))
""",
    "a storm of signals": """
import signal
from work import work
seen = 0
def handler(number, frame):
    global seen
    seen += 1
    work(2)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
total = 0
while seen < 200:
    total = work(200)
signal.setitimer(signal.ITIMER_REAL, 0)
print(total)
""",
    "interrupted at any time": """
import signal
from work import work
def handler(number, frame):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handler)
interrupted = 0
while interrupted < 60:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0007)
        names = {}
        for turn in range(100_000):
            exec(compile("def f(x):\\n    return x\\n", "made.py", "exec"), names)
            names["f"](work(5))
    except KeyboardInterrupt:
        interrupted += 1
print(interrupted, work(10))
""",
    "recursion to the limit": """
import sys
from work import work
def deeper(n):
    try:
        return deeper(n + 1)
    except RecursionError:
        work(2)
        return n
print(deeper(0) > 100, work(10))
def deepest(n):
    return deepest(n + 1)
for _ in range(20):
    try:
        deepest(0)
    except RecursionError as error:
        print(type(error).__name__)
""",
    "a code object of 100,000 lines": """
from work import work
source = "def f(x):\\n" + "".join(
    f"    x += {k % 7}\\n" if k % 5 else f"    if x < {k}: x -= 1\\n" for k in range(100_000))
names = {}
with open("long.py", "w") as file:
    file.write(source + "    return x\\n")
import long
print(long.f(0), long.f(1), work(10))
""",
    "hostile names": """
import os, runpy
from work import work
names = ["new\\nline.py", "quote'\\".py", "back\\\\slash.py", "\\udcff.py", "\\u202e.py",
         "a" * 200 + ".py"]
deep = os.path.join(*["d" * 100] * 25)
os.makedirs(deep)
names.append(os.path.join(deep, "deep.py"))
for number, name in enumerate(names):
    with open(name, "w") as file:
        file.write("def f(x):\\n    if x:\\n        return 1\\n    return 2\\nprint(f(0), f(1))\\n")
    runpy.run_path(name)
print(work(10))
""",
    "files that change and vanish": """
import importlib, os, sys
from work import work
sys.dont_write_bytecode = True
for number in range(5):
    with open("changing.py", "w") as file:
        file.write("\\n" * number + f"def f():\\n    return {number}\\n")
    module = importlib.import_module("changing")
    module = importlib.reload(module)
    print(module.f())
with open("vanishing.py", "w") as file:
    file.write("def f():\\n    return 1\\n")
import vanishing
os.unlink("vanishing.py")
print(vanishing.f(), work(10))
""",
    "modules in a zip file": """
import sys, zipfile
from work import work
with zipfile.ZipFile("packed.zip", "w") as packed:
    packed.writestr("inside/__init__.py", "def f(x):\\n    return x + 1\\n")
    packed.writestr("inside/more.py", "def g(x):\\n    if x:\\n        return 1\\n    return 2\\n")
sys.path.insert(0, "packed.zip")
import inside, inside.more
print(inside.f(1), inside.more.g(0), work(10))
""",
    "subinterpreters": """
from work import work
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        interpreters = None
if interpreters is not None:
    for _ in range(5):
        other = interpreters.create()
        problem = interpreters.run_string(other, "def f(x):\\n    return x\\nassert f(1) == 1\\n")
        assert problem is None, problem
        interpreters.destroy(other)
print(work(10))
""",
    "10,000 open files": """
import resource
from work import work
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
wanted = 10_000 if hard == resource.RLIM_INFINITY else min(10_000, hard)
resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
kept = []
for _ in range(wanted - 30):
    kept.append(open("/dev/null"))
print(len(kept) == wanted - 30, work(10))
""",
    "no file can be opened at the end": """
import resource
from work import work
print(work(10))
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
""",
    "the directory vanishes": """
import os, shutil
from work import work
print(work(10))
shutil.rmtree(os.getcwd())
""",
    "recursion without a limit": """
import sys
from work import work
sys.setrecursionlimit(30_000)
def deeper(n):
    if n == 0:
        return work(3)
    return deeper(n - 1) + 1
print(deeper(25_000))
def forever(n):
    try:
        forever(n + 1)
    finally:
        work(1)
try:
    forever(0)
except RecursionError as error:
    print(type(error).__name__, work(10))
""",
    "a program that replaces itself": """
import os, sys
from work import work
print(work(10), flush=True)
if "again" not in sys.argv:
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", "print('replaced')"])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "frozen modules": """
import _frozen_importlib, importlib, sys
from work import work
for name in ("__hello__", "__phello__", "__phello__.spam"):
    module = importlib.import_module(name)
    print(module.__spec__.origin, hasattr(module, "main"))
    if hasattr(module, "main"):
        module.main()
print(work(10))
""",
    "code that is executed under false names": """
from work import work
for name in ("", ".", "/", "<string>", "work.py/", "\\0", "no such directory/no such file.py"):
    try:
        names = {}
        exec(compile("def f(x):\\n    if x: return 1\\n    return 2\\n", name, "exec"), names)
        print(repr(name), names["f"](0), names["f"](1))
    except ValueError as error:
        print(type(error).__name__)
print(work(10))
""",
    "an exception that nobody catches": """
from work import work
print(work(10))
def one(n):
    if n:
        one(n - 1)
    raise LookupError("at the end")
one(20)
""",
    "an exit from within a thread's finalizer": """
import atexit, sys, threading
from work import work
class Last:
    def __del__(self):
        work(7)
kept = Last()
atexit.register(work, 8)
threading.Thread(target=lambda: work(9)).start()
print(work(10))
sys.exit(5)
""",
    "memory runs out now and then": """
from work import work
class Greedy:
    def __init__(self):
        raise MemoryError
caught = 0
for _ in range(200):
    try:
        work(3)
        Greedy()
    except MemoryError:
        caught += 1
print(caught)
""",
}
