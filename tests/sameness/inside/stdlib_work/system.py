"""Files, archives, processes, logging, the command line."""

from __future__ import annotations

import argparse
import bz2
import contextlib
import ctypes
import ctypes.util
import dbm
import dbm.dumb
import errno
import filecmp
import fileinput
import genericpath
import getopt
import gzip
import hashlib
import hmac
import io
import logging
import logging.config
import logging.handlers
import lzma
import ntpath
import optparse
import os
import pathlib
import platform
import posixpath
import queue
import sched
import secrets
import selectors
import shelve
import shutil
import signal
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import wave
import zipapp
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .tools import attempt, without_c


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        yield


def work_paths() -> None:
    for module in (posixpath, ntpath):
        for path in (
            "/a/b/../c.tar.gz",
            "a",
            "",
            "~/x",
            "~nobody-here/x",
            "C:\\x\\..\\y",
            "//host/share/z",
            "$HOME/${X}%Y%",
            b"/a//./b",
            "C:x",
        ):
            for name in (
                "normpath basename dirname split splitext splitdrive isabs expanduser expandvars "
                "normcase abspath splitroot"
            ).split():
                if hasattr(module, name):
                    attempt(getattr(module, name), path)
        module.join("a", "/b", "c"), module.join("C:a", "D:b"), module.commonpath(["/a/b", "/a/c"])
        module.commonprefix(["ab", "ac"])
        attempt(module.commonpath, ["/a", "b"]), module.relpath("/a/b", "/a/c/d")
        attempt(module.join, "a", b"b"), module.relpath("x")
    with tempfile.TemporaryDirectory() as top:
        os.symlink("loop", os.path.join(top, "loop"))
        os.symlink(top, os.path.join(top, "link"))
        posixpath.realpath(os.path.join(top, "link", "..", "loop"))
        attempt(posixpath.realpath, os.path.join(top, "loop"), strict=True)
        posixpath.ismount("/"), posixpath.lexists(top), genericpath.samefile(top, top)
        genericpath.getsize(top), posixpath.islink(top)
    for kind in (pathlib.PurePosixPath, pathlib.PureWindowsPath):
        for text in ("/a/b.tar.gz", "a/../b", "C:\\Windows\\x.TXT", "", "//s/h/x", "c:x"):
            path = kind(text)
            path.parts, path.parent, list(path.parents), path.name, path.stem, path.suffix
            path.suffixes, path.root, path.drive, path.anchor
            path / "x", path.match("*.gz"), path.is_absolute(), path == path, hash(path), repr(path)
            path.as_posix(), bytes(path), path < path
            attempt(path.with_name, "q"), attempt(path.with_suffix, ".z")
            attempt(path.with_stem, "s"), attempt(path.as_uri), attempt(path.relative_to, "/a")
            attempt(path.with_suffix, "z"), path.joinpath("a", "b"), path.is_relative_to("/a")


def work_files() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        one = top / "one" / "two"
        one.mkdir(parents=True), attempt(one.mkdir), one.mkdir(exist_ok=True)
        file = one / "f.txt"
        file.write_text("text\nmore\n"), file.read_bytes(), file.touch(), file.stat(), file.exists()
        file.chmod(0o600), file.is_symlink(), file.owner()
        link = one / "l"
        link.symlink_to("f.txt"), link.resolve(), link.readlink(), link.samefile(file)
        (one / "h").hardlink_to(file), file.rename(one / "g.txt").replace(file)
        list(top.rglob("*")), sorted(top.iterdir()), file.relative_to(top), Path("~").expanduser()
        Path.cwd(), file.absolute(), (top / "zz").unlink(missing_ok=True)
        attempt((top / "zz").unlink), list(top.walk()) if hasattr(top, "walk") else 0
        list(os.walk(name, topdown=False)), list(os.fwalk(name)), os.makedirs(top / "x" / "y")
        os.removedirs(top / "x" / "y"), os.fsencode("é"), os.get_exec_path()
        os.environ["SAMENESS"] = "1"
        del os.environ["SAMENESS"]
        os.environ.copy(), attempt(lambda: os.environ["no such"]), os.getenvb(b"PATH")
        os.environ | {"a": "b"}, attempt(os.fspath, 5)
        shutil.copytree(
            top / "one",
            top / "copy",
            ignore=shutil.ignore_patterns("h"),
            symlinks=True,
        )
        shutil.copy2(file, top), shutil.move(top / "f.txt", top / "moved")
        shutil.make_archive(str(top / "arc"), "gztar", name, "one")
        shutil.make_archive(str(top / "arc"), "zip", name, "one"), shutil.get_archive_formats()
        shutil.unpack_archive(top / "arc.zip", top / "un")
        shutil.unpack_archive(top / "arc.tar.gz", top / "un2", filter="data")
        attempt(shutil.unpack_archive, "x.q")
        attempt(shutil.make_archive, "x", "nosuch"), shutil.which("python3")
        shutil.disk_usage(name), shutil.get_terminal_size(), attempt(shutil.copy, file, file)
        shutil.rmtree(top / "un"), attempt(shutil.rmtree, top / "none")
        shutil.rmtree(top / "none", ignore_errors=True)
        shutil.copyfileobj(io.BytesIO(b"x"), io.BytesIO())
        comparison = filecmp.dircmp(top / "one", top / "copy")
        with contextlib.redirect_stdout(io.StringIO()):
            comparison.report_full_closure()
        filecmp.cmp(file, top / "moved", shallow=False), filecmp.cmpfiles(one, top, ["f.txt"])
        filecmp.clear_cache()
        with fileinput.input([str(file), str(top / "moved")], inplace=False) as lines:
            [(lines.filename(), lines.filelineno(), lines.isfirstline()) for _ in lines]
        with fileinput.FileInput(str(file), inplace=True, backup=".bak") as lines:
            for line in lines:
                print(line.upper(), end="")
        with fileinput.input(str(file), openhook=fileinput.hook_encoded("utf-8")) as lines:
            lines.readline(), lines.nextfile()
        with (
            tempfile.NamedTemporaryFile(dir=name) as temporary,
            tempfile.SpooledTemporaryFile(4) as spooled,
            tempfile.TemporaryFile() as bare,
        ):
            temporary.write(b"x"), spooled.write(b"abcdefgh"), spooled.rollover(), spooled.seek(0)
            spooled.read(), bare.write(b"y"), temporary.name
        tempfile.mkdtemp(dir=name), os.close(tempfile.mkstemp(dir=name)[0])
        tempfile.gettempprefix(), attempt(tempfile.mkdtemp, dir=b"x", suffix="y")
        for mode in (0o100644, 0o40755, 0o120777, 0o104755, 0o60000, 0o1777):
            stat.filemode(mode)
        pure = without_c("stat", "_stat")
        pure.filemode(0o104755), pure.S_ISDIR(0o40000), pure.S_IMODE(5), pure.S_ISLNK(1)


def work_pyio() -> None:
    import _pyio

    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, "f")
        with _pyio.open(path, "w", encoding="utf-8", newline="\r\n") as out:
            out.write("one\ntwo é\n" * 3), out.tell(), out.seek(0), out.truncate(5)
            out.writelines(["a", "b"])
        for newline in (None, "", "\n", "\r\n"):
            with _pyio.open(path, newline=newline, encoding="utf-8") as source:
                source.readline(), source.read(3), source.tell(), source.read(), source.seek(0)
                list(source), attempt(lambda s=source: s.newlines)
        with _pyio.open(path, "r+b", buffering=4) as both:
            both.read(2), both.write(b"xyz"), both.seek(1), both.peek(2)
            both.readinto(bytearray(3)), both.read1(2), both.seek(-1, 2), both.raw
        with _pyio.open(path, "ab", buffering=0) as raw:
            raw.write(b"q"), raw.fileno(), raw.mode, repr(raw), raw.readable(), attempt(raw.read)
        for mode in ("", "rw", "rbt", "z"):
            attempt(_pyio.open, path, mode)
    memory = _pyio.BytesIO(b"abc\ndef")
    memory.readline(), memory.getvalue(), memory.seek(2), memory.write(b"Z"), memory.truncate(4)
    memory.readlines(), memory.close()
    attempt(memory.read)
    text = _pyio.StringIO("a\nb", newline=None)
    text.read(1), text.readline(), text.getvalue(), text.write("c"), repr(text), text.errors
    pair = _pyio.BufferedRWPair(_pyio.BytesIO(b"x"), _pyio.BytesIO())
    pair.read(1), pair.write(b"y"), pair.flush()
    decoder = _pyio.IncrementalNewlineDecoder(None, translate=True)
    decoder.decode("a\r"), decoder.decode("\nb\rc\n"), decoder.newlines, decoder.getstate()
    decoder.reset()


def work_tar() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "d").mkdir(), (top / "d" / "a.txt").write_text("a" * 900)
        (top / "d" / ("n" * 120)).write_text("long"), os.symlink("a.txt", top / "d" / "s")
        for module, kind in ((gzip, "gz"), (bz2, "bz2"), (lzma, "xz")):
            path = top / f"f.{kind}"
            with module.open(path, "wt", encoding="utf-8") as out:
                out.write("line\n" * 50)
            with module.open(path, "rb") as source:
                source.readline(), source.seek(10), source.read(5), source.peek(1), list(source)
                source.tell(), source.seekable()
            module.decompress(module.compress(b"x" * 99)), attempt(module.open, path, "rbt")
            attempt(lambda m=module: m.decompress(b"junk"))
            for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
                tar = top / f"t.tar.{kind}"
                with tarfile.open(tar, f"w:{kind}", format=form) as archive:
                    attempt(archive.add, top / "d", "d", filter=lambda info: info)
                    info = tarfile.TarInfo("é" * 40)
                    info.size, info.mtime, info.pax_headers = 3, 1.5, {"k": "v"}
                    archive.addfile(info, io.BytesIO(b"abc"))
                with tarfile.open(tar) as archive:
                    with contextlib.redirect_stdout(io.StringIO()):
                        archive.list(verbose=True)
                    archive.getnames(), archive.getmember("d")
                    archive.extractall(top / f"x{kind}{form}", filter="data")
                    archive.extractfile("d/a.txt").read(), attempt(archive.getmember, "zz")
                    repr(archive.next())
            tarfile.is_tarfile(tar), tarfile.is_tarfile(path)
        with tarfile.open(fileobj=io.BytesIO(), mode="w|") as stream:
            stream.add(top / "d" / "a.txt", "a")
        for evil in ("../x", "/abs"):
            attempt(tarfile.data_filter, tarfile.TarInfo(evil), name)
        attempt(tarfile.open, fileobj=io.BytesIO(b"junk"))


def work_zip() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "d").mkdir(), (top / "d" / "a.txt").write_text("a" * 900)
        path = top / "z.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            archive.write(top / "d" / "a.txt", "q/a.txt")
            archive.writestr("e.txt", "text", zipfile.ZIP_BZIP2)
            archive.writestr("é", b"x", zipfile.ZIP_LZMA)
            with archive.open("big", "w", force_zip64=True) as member:
                member.write(b"0" * 70)
            archive.comment = b"note"
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("dir/", ""), archive.testzip(), archive.infolist()
            archive.getinfo("e.txt"), archive.namelist(), repr(archive)
            attempt(archive.read, "no")
            with archive.open("q/a.txt") as member:
                member.read(3), member.peek(2), member.read1(5), member.seek(1), member.readline()
                member.tell(), repr(member)
            with contextlib.redirect_stdout(io.StringIO()):
                archive.printdir()
            archive.extractall(top / "zx"), archive.setpassword(b"pw")
            archive.extract("e.txt", top)
            root = zipfile.Path(archive)
            [str(part) for part in root.iterdir()], (root / "q" / "a.txt").read_text()
            (root / "q").is_dir(), (root / "none").exists(), root.joinpath("a").parent
            (root / "e.txt").suffix
        with contextlib.redirect_stdout(io.StringIO()):
            zipfile.main(["-l", str(path)]), zipfile.main(["-t", str(path)])
        attempt(zipfile.ZipFile, io.BytesIO(b"junk")), zipfile.is_zipfile(path)
        zipfile.is_zipfile(io.BytesIO(b"PK"))
        with zipfile.PyZipFile(top / "py.zip", "w") as library:
            (top / "d" / "m.py").write_text("x = 1\n"), library.writepy(str(top / "d"))
        (top / "app").mkdir(), (top / "app" / "m.py").write_text("def main(): pass\n")
        zipapp.create_archive(top / "app", top / "app.pyz", "/usr/bin/env python3", "m:main")
        zipapp.get_interpreter(top / "app.pyz"), attempt(zipapp.create_archive, top / "app")


def work_wave() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        with wave.open(str(top / "w.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", "none")), sound.writeframes(b"\0\1" * 20)
            sound.getparams()
        with wave.open(str(top / "w.wav")) as sound:
            sound.readframes(5), sound.getparams(), sound.rewind(), sound.setpos(3), sound.tell()
        attempt(wave.open, io.BytesIO(b"RIFFjunk"))


def work_databases() -> None:
    with tempfile.TemporaryDirectory() as top:
        with dbm.dumb.open(os.path.join(top, "dumb"), "c") as base:
            base["a"], base[b"b"] = b"1", b"22"
            base["a"] = b"111"
            base.keys(), base.get("a"), "a" in base, len(base), list(base), base.sync()
            base.setdefault(b"z", b"q")
            del base["a"]
        with dbm.open(os.path.join(top, "dumb"), "r") as base:
            base.items(), attempt(base.__setitem__, "x", b"y")
        dbm.whichdb(os.path.join(top, "dumb")), dbm.whichdb(os.path.join(top, "none"))
        attempt(dbm.open, os.path.join(top, "none"))
        with shelve.Shelf(dbm.dumb.open(os.path.join(top, "s"), "c"), writeback=True) as shelf:
            shelf["k"] = [1]
            shelf["k"].append(2)
            list(shelf), len(shelf), shelf.get("zz"), shelf.sync(), "k" in shelf
            del shelf["k"]
        connection = sqlite3.connect(":memory:")
        connection.executescript(
            "create table t (a integer, b text); insert into t values (1, 'x''y'), (2, null); "
            "create index i on t (a);"
        )
        list(connection.iterdump()), sqlite3.Date(2020, 1, 1), sqlite3.TimestampFromTicks(0)
        connection.close()


def work_logging() -> None:
    stream = io.StringIO()
    logger = logging.getLogger("sameness.work")
    handler = logging.StreamHandler(stream)
    for style, form in (
        ("%", "%(levelname)s %(message)s %(asctime)s"),
        ("{", "{message} {name}"),
        ("$", "$message ${levelname}"),
    ):
        handler.setFormatter(logging.Formatter(form, style=style, datefmt="%Y"))
        logger.addHandler(handler)
        logger.warning("a %s", 1)
        logger.error("b %(x)s", {"x": 2}, stack_info=True, extra={"q": 1}), logger.debug("no")
        try:
            raise ValueError("v")
        except ValueError:
            logger.exception("caught")
    attempt(logging.Formatter, "{x", style="{"), attempt(logging.Formatter, "none")
    logger.isEnabledFor(10), logger.getChild("x").getEffectiveLevel(), repr(logger), repr(handler)
    logger.setLevel("INFO"), attempt(logger.setLevel, "NOPE")
    logger.addFilter(lambda record: True), logger.log(25, "x"), logging.addLevelName(25, "MID")
    logging.getLevelName("MID")
    adapter = logging.LoggerAdapter(logger, {"a": 1})
    adapter.info("x"), adapter.hasHandlers(), repr(adapter), logger.removeHandler(handler)
    logging.makeLogRecord({"a": 1}).getMessage()


def work_logging_to_files() -> None:
    logger = logging.getLogger("sameness.files")
    logger.setLevel("INFO")
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, "log")
        rotating = logging.handlers.RotatingFileHandler(
            path,
            maxBytes=60,
            backupCount=2,
            delay=True,
        )
        timed = logging.handlers.TimedRotatingFileHandler(
            path + "t",
            when="S",
            backupCount=1,
            utc=True,
        )
        watched = logging.handlers.WatchedFileHandler(path + "w")
        memory = logging.handlers.MemoryHandler(3, target=rotating)
        waiting: queue.Queue[Any] = queue.Queue()
        for each in (
            memory,
            watched,
            logging.handlers.QueueHandler(waiting),
            timed,
            logging.handlers.BufferingHandler(2),
        ):
            logger.addHandler(each)
        for number in range(8):
            logger.info("message number %d", number)
        timed.doRollover(), timed.computeRollover(0), timed.getFilesToDelete()
        os.remove(path + "w"), logger.error("again")
        listener = logging.handlers.QueueListener(waiting, rotating, respect_handler_level=True)
        listener.handle(waiting.get())
        for each in list(logger.handlers):
            each.close(), logger.removeHandler(each)
        rotating.close()


def work_logging_configuration() -> None:
    with tempfile.TemporaryDirectory() as top:
        logging.config.dictConfig(
            {
                "version": 1, "disable_existing_loggers": False,
                "formatters": {"f": {"format": "%(message)s"}}, "filters": {"n": {"name": "x"}},
                "handlers": {
                    "h": {
                        "class": "logging.StreamHandler", "formatter": "f", "filters": ["n"],
                        "stream": "ext://sys.stderr", "level": "ERROR",
                    }
                },
                "loggers": {
                    "sameness.config": {"handlers": ["h"], "level": "INFO", "propagate": False}
                },
            }
        )  # fmt: skip
        attempt(logging.config.dictConfig, {"version": 2})
        attempt(logging.config.dictConfig, {"version": 1, "handlers": {"h": {"class": "no.such"}}})
        (Path(top) / "l.ini").write_text(
            "[loggers]\nkeys=root,a\n[handlers]\nkeys=h\n[formatters]\nkeys=f\n[logger_root]\n"
            "handlers=h\n[logger_a]\nhandlers=h\nqualname=sameness.ini\npropagate=0\n"
            "[handler_h]\nclass=NullHandler\nargs=()\nformatter=f\n[formatter_f]\n"
            "format=%(message)s\n"
        )
        logging.config.fileConfig(os.path.join(top, "l.ini"), disable_existing_loggers=False)


def work_command_lines() -> None:
    parser = argparse.ArgumentParser(
        "prog",
        description="D " * 50,
        epilog="E",
        fromfile_prefix_chars="@",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("--version", action="version", version="1")
    parser.add_argument("-x", type=int, choices=range(3), help="the %(dest)s")
    parser.add_argument("--flag", action=argparse.BooleanOptionalAction)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--one", action="store_true")
    group.add_argument("--two", nargs="?", const="c")
    titled = parser.add_argument_group("title", "text")
    titled.add_argument("--list", nargs="*", action="extend")
    titled.add_argument("--ap", action="append_const", const=1)
    commands = parser.add_subparsers(dest="command", title="commands")
    sub = commands.add_parser("run", aliases=["r"], help="run it")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("--out", type=argparse.FileType("w") if sys.version_info < (3, 14) else str)
    for arguments in (
        ["-vv", "run", "a", "b"], ["--no-flag", "r", "x", "--out", "-"],
        ["--two", "--list", "1", "2", "--", "run", "q"], ["--two=5", "r", "f"],
        ["-x", "9", "run", "a"],
        ["--one", "--two", "run", "a"], ["run"], ["nope"], ["--help"], ["run", "--help"],
        ["--version"], ["--lis", "1"], ["-x1"], ["--bogus", "run", "a"], ["@none"], ["-x", "q"],
    ):  # fmt: skip
        with contextlib.suppress(SystemExit), _quiet():
            repr(parser.parse_args(arguments))
    parser.parse_known_args(["--zzz"]), parser.format_usage(), parser.format_help()
    parser.get_default("x"), parser.set_defaults(x=2), attempt(parser.add_argument, "-v")
    argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_intermixed_args([])
    argparse.Namespace(a=1) == argparse.Namespace(a=2)
    old = optparse.OptionParser("usage: %prog [options]", version="1", description="d")
    old.add_option("-a", "--all", action="store_true", help="all %default")
    old.add_option("-n", type="int", default=3, metavar="N")
    old.add_option("--choice", choices=["x", "y"])
    section = optparse.OptionGroup(old, "Group", "text")
    section.add_option("--cb", action="callback", callback=lambda *_: None)
    section.add_option("--list", action="append", nargs=2), old.add_option_group(section)
    for arguments in (
        ["-a", "-n5", "rest"],
        ["--list", "1", "2", "--cb"],
        ["--choice", "z"],
        ["--nope"],
        ["-n", "x"],
        ["--help"],
        ["--version"],
        ["--al"],
        ["-n"],
        ["--", "-a"],
    ):
        with contextlib.suppress(SystemExit), _quiet():
            old.parse_args(arguments)
    getopt.getopt(["-a", "-b1", "--long=2", "--lo", "x", "rest"], "ab:", ["long=", "lo="])
    getopt.gnu_getopt(["x", "-a", "--", "-b"], "a")
    for arguments in (["-z"], ["-b"], ["--none"], ["--long"], ["--l"], ["--flag=1"]):
        attempt(getopt.getopt, arguments, "ab:", ["long=", "lower", "flag"])


def work_process_and_host() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; print(sys.stdin.read()); sys.exit(3)"],
        input="x",
        capture_output=True,
        text=True,
        check=False,
    )
    attempt(done.check_returncode), repr(done)
    attempt(subprocess.check_output, ["/no/such/program"]), subprocess.getstatusoutput("true")
    subprocess.list2cmdline(["a b", 'c"'])
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.communicate(b"abc"), process.poll(), repr(process), process.args
    attempt(subprocess.run, ["true"], capture_output=True, stdout=1)
    attempt(subprocess.Popen, "x", bufsize="y")
    signal.strsignal(2) if hasattr(signal, "strsignal") else 0
    signal.signal(signal.SIGUSR1, signal.SIG_IGN), signal.getsignal(signal.SIGUSR1)
    signal.valid_signals(), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    left, right = socket.socketpair()
    with left, right:
        for kind in (selectors.SelectSelector, selectors.PollSelector, selectors.DefaultSelector):
            with kind() as selector:
                selector.register(left, selectors.EVENT_READ | selectors.EVENT_WRITE, "d")
                selector.select(0), selector.modify(left, selectors.EVENT_WRITE, "e")
                selector.get_key(left), dict(selector.get_map()), selector.unregister(left)
                attempt(selector.unregister, left), attempt(selector.register, left, 0)
        left.sendall(b"x\n"), right.makefile("r").readline(), repr(left), left.family, left.type
        left.dup().close(), socket.has_dualstack_ipv6(), left.get_inheritable()
    platform.platform(), platform.uname()._asdict(), platform.python_build()
    platform.architecture(), platform.libc_ver(), platform.python_compiler()
    platform.system_alias("SunOS", "5.1", "x")
    sysconfig.get_paths(), sysconfig.get_config_var("prefix"), sysconfig.get_platform()
    sysconfig.get_scheme_names(), sysconfig.get_path("purelib", "venv"), sysconfig.is_python_build()
    sysconfig.parse_config_h(io.StringIO("#define X 1\n/* #undef Y */\n#define Z q\n"))
    attempt(lambda: sysconfig.expand_makefile_vars("$(a)x${b}", {"a": "1", "b": "2"}))
    hashlib.new("sha256", b"x").hexdigest(), hashlib.file_digest(io.BytesIO(b"x" * 99), "md5")
    attempt(hashlib.new, "nope"), hmac.new(b"k", b"m", "sha1").hexdigest()
    hmac.digest(b"k", b"m", "md5")
    mac = hmac.new(b"k" * 200, digestmod=lambda data=b"": hashlib.sha256(data))
    mac.update(b"x"), mac.copy().digest(), mac.name, attempt(hmac.new, b"k"), secrets.token_hex(4)
    secrets.token_urlsafe(3), secrets.randbelow(5), secrets.choice("ab")
    attempt(secrets.randbelow, 0)

    class Pair(ctypes.Structure):
        _fields_ = (("a", ctypes.c_int), ("b", ctypes.c_char * 4))

    class Big(ctypes.BigEndianStructure):
        _fields_ = (("a", ctypes.c_short),)

    Pair(1, b"x").a, Big(1), ctypes.create_string_buffer(b"x", 5), ctypes.create_unicode_buffer("x")
    ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)(), ctypes.util.find_library("no-such-library")
    ctypes.cast(ctypes.pointer(ctypes.c_int(5)), ctypes.c_void_p)
    ctypes.string_at(ctypes.create_string_buffer(b"q")), ctypes.CDLL(None).getpid
    attempt(ctypes.CDLL, "/no/such"), repr(ctypes.c_int(3))
    moments = iter(range(100))
    plan = sched.scheduler(lambda: next(moments), lambda seconds: None)
    plan.enter(1, 1, list), plan.enterabs(3, 1, list, ([1],)), plan.queue, plan.run(), plan.empty()
    plan.cancel(plan.enter(5, 1, list)), plan.run(blocking=False)
    errno.errorcode[2], struct.calcsize("i")
