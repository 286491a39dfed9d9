"""Containers, classes, functions: what programs are built of.

The old spellings of types are what is to be run here.
"""
# ruff: noqa: UP006, UP007, UP045, PIE796

from __future__ import annotations

import abc
import bisect
import collections
import contextlib
import copy
import dataclasses
import datetime
import enum
import functools
import graphlib
import heapq
import io
import operator
import types
import typing
import weakref
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from typing import Any

from .tools import attempt, without_c

T = typing.TypeVar("T")


def work_collections() -> None:
    Point = collections.namedtuple("Point", "x y class z", rename=True, defaults=[0])
    point = Point(1, 2, 3)
    point._replace(x=5), point._asdict(), Point._make(range(4)), repr(point)
    attempt(collections.namedtuple, "a b", "x")
    attempt(point._replace, nothing=1)
    counter = collections.Counter("abracadabra")
    counter.subtract("aab"), counter.most_common(2), counter + counter, counter - counter
    counter & counter
    counter | counter, +counter, -counter, counter.total(), list(counter.elements()), repr(counter)
    counter <= counter, counter < counter, counter == {"a": 1}
    counter.update({"x": 3}, y=2)
    attempt(collections.Counter.fromkeys, "a")
    chain = collections.ChainMap({"a": 1}, {"b": 2})
    attempt(chain.__getitem__, "c"), chain.new_child({"d": 1}), chain.parents, list(chain)
    chain.get("zz"), "b" in chain
    chain["c"] = 3
    chain.pop("c"), attempt(chain.pop, "b"), chain | {"e": 1}, {"e": 1} | chain, repr(chain)
    bool(chain)

    class Text(collections.UserString):
        pass

    class Items(collections.UserList[int]):
        pass

    class Table(collections.UserDict[str, int]):
        def __missing__(self, key: str) -> int:
            return 0

    text = Text("Hello World")
    for name in (
        "upper",
        "title",
        "split",
        "swapcase",
        "isalpha",
        "encode",
        "splitlines",
        "strip",
        "casefold",
    ):
        getattr(text, name)()
    text + "x", "x" + text, text * 2, text % (), text[1:3], text.replace("o", "0"), text.find("W")
    hash(text)
    items = Items([3, 1, 2])
    items.append(4), items.sort(), items.reverse(), items.insert(0, 9), items.extend([5])
    items.pop(), items + [1]
    items[1:2], items * 2, items.copy(), items.count(1), items.index(9), items == [1]
    items.remove(9)
    table = Table(a=1)
    table["zz"], table | {"b": 2}, table.copy(), Table.fromkeys("ab", 1), "a" in table
    copy.copy(table)
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a"), reversed(ordered), ordered.popitem(last=False)


class Table(MutableMapping[str, int]):
    def __init__(self) -> None:
        self.inner: dict[str, int] = {}

    def __getitem__(self, key: str) -> int:
        return self.inner[key]

    def __setitem__(self, key: str, value: int) -> None:
        self.inner[key] = value

    def __delitem__(self, key: str) -> None:
        del self.inner[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.inner)

    def __len__(self) -> int:
        return len(self.inner)


class Row(MutableSequence[int]):
    def __init__(self) -> None:
        self.inner: list[int] = []

    def __getitem__(self, index: Any) -> Any:
        return self.inner[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.inner[index] = value

    def __delitem__(self, index: Any) -> None:
        del self.inner[index]

    def __len__(self) -> int:
        return len(self.inner)

    def insert(self, index: int, value: int) -> None:
        self.inner.insert(index, value)


class Bag(MutableSet[int]):
    def __init__(self, items: Any = ()) -> None:
        self.inner = list(dict.fromkeys(items))

    def __contains__(self, item: object) -> bool:
        return item in self.inner

    def __iter__(self) -> Iterator[int]:
        return iter(self.inner)

    def __len__(self) -> int:
        return len(self.inner)

    def add(self, item: int) -> None:
        self.inner.append(item)

    def discard(self, item: int) -> None:
        if item in self.inner:
            self.inner.remove(item)


def work_abc() -> None:
    table = Table()
    table.update({"a": 1}, b=2)
    table.update([("c", 3)])
    table.setdefault("d", 4), table.pop("a"), table.pop("zz", None), table.popitem(), table.get("q")
    "b" in table
    list(table.items()), list(table.values()), table.keys() & {"b"}, repr(table.keys())
    table == {"b": 2}
    ("b", 2) in table.items(), 2 in table.values(), table.clear()
    row = Row()
    row.extend([3, 1, 2]), row.append(5), row.reverse(), row.pop(), row.remove(1), row.index(2)
    row.count(3)
    list(reversed(row)), 3 in row, attempt(row.index, 77), row.clear()
    row += [1]
    bag = Bag([1, 2, 3])
    bag | [4], bag & [1], bag - [1], bag ^ [1, 9], [1] - bag, bag <= bag, bag < bag, bag > Bag()
    bag == Bag(), bag >= bag
    bag |= Bag([7])
    bag &= Bag([7, 1])
    bag -= Bag([1])
    bag ^= Bag([8])
    bag.isdisjoint([100]), bag.pop(), bag.remove(8) if 8 in bag else None, attempt(bag.remove, 55)
    bag.clear()
    bag._hash()


def work_py_abc() -> None:
    import _py_abc

    class Pure(metaclass=_py_abc.ABCMeta):
        @abc.abstractmethod
        def method(self) -> None: ...

        @classmethod
        def __subclasshook__(cls, other: type) -> Any:
            return True if hasattr(other, "quack") else NotImplemented

    class Duck:
        quack = True

    Pure.register(int)
    isinstance(1, Pure), isinstance(1, Pure), issubclass(Duck, Pure), isinstance("s", Pure)
    issubclass(list, Pure)
    Pure._dump_registry(io.StringIO())


def work_enum() -> None:
    class Color(enum.Enum):
        RED = 1
        GREEN = enum.auto()
        CRIMSON = 1

        @classmethod
        def _missing_(cls, value: object) -> Any:
            return cls.RED if value == "rot" else None

        @property
        def nice(self) -> str:
            return self.name.lower()

    class Bits(enum.Flag):
        A = enum.auto()
        B = enum.auto()
        AB = A | B

    class Mode(enum.IntFlag, boundary=enum.KEEP):
        R = 4
        W = 2

    class Word(enum.StrEnum):
        ONE = enum.auto()

    class Level(enum.IntEnum):
        LOW, HIGH = 1, 2

    Color("rot"), Color["RED"], list(Color), Color.RED.nice, repr(Color.RED), Color.__members__
    Color(1) in Color
    attempt(Color, 99), attempt(setattr, Color, "RED", 1), attempt(Color, [])
    ~Bits.A, Bits.A | Bits.B, Bits.AB ^ Bits.A, list(Bits.AB), Bits(0), repr(Bits.AB), bool(Bits(0))
    Bits.A in Bits.AB
    attempt(Bits, 64), Mode(64), Mode.R | 8, ~Mode.R, repr(Mode(12)), f"{Mode.R}", Word.ONE + "x"
    Level.LOW < 2
    enum.Enum("Animal", "CAT DOG", module=__name__), enum.IntEnum("N", {"A": 1}), enum.unique(Level)
    attempt(enum.unique, Color)
    enum.show_flag_values(6), enum.bin(-5), copy.deepcopy(Color.RED), dir(Color), dir(Color.RED)
    enum.verify(enum.CONTINUOUS, enum.NAMED_FLAGS)(Level)

    def broken() -> None:
        class Bad(enum.Enum):
            A = 1
            A = 2  # noqa: PIE794

    attempt(broken)


def work_dataclasses() -> None:
    @dataclasses.dataclass(order=True, unsafe_hash=True)
    class Base:
        x: int
        y: list[int] = dataclasses.field(
            default_factory=list,
            compare=False,
            repr=False,
            hash=False,
        )
        z: dataclasses.InitVar[int] = 0
        k: typing.ClassVar[int] = 5

        def __post_init__(self, z: int) -> None:
            self.x += z

    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
    class Frozen:
        a: int = 1
        b: str = dataclasses.field(default="b", metadata={"m": 1})

    @dataclasses.dataclass(match_args=False, eq=False)
    class Child(Base):
        w: Any = None

    base = Base(1, z=2)
    base < Base(9), base == Base(1), hash(base), repr(base), dataclasses.replace(base, x=5, z=0)
    dataclasses.asdict(Child(1, [1], 0, {"a": (Base(2),)})), dataclasses.astuple(Child(1))
    dataclasses.fields(Frozen)
    frozen = Frozen(a=2)
    attempt(setattr, frozen, "a", 3), attempt(delattr, frozen, "a"), copy.copy(frozen)
    dataclasses.is_dataclass(frozen)
    made = dataclasses.make_dataclass(
        "Made",
        [("a", int), "b", ("c", int, 5)],
        namespace={"f": lambda self: 1},
    )
    made(1, 2)

    def bad_default() -> None:
        @dataclasses.dataclass
        class Bad:
            a: list[int] = []  # noqa: RUF012

    def bad_order() -> None:
        @dataclasses.dataclass
        class Bad:
            a: int = 1
            b: int

    attempt(bad_default), attempt(bad_order), attempt(dataclasses.fields, 5)
    attempt(dataclasses.asdict, 5)


def work_typing() -> None:
    class Box(typing.Generic[T]):
        item: T

    class Proto(typing.Protocol):
        def run(self) -> int: ...

    Runner = typing.runtime_checkable(Proto)

    class Movie(typing.TypedDict, total=False):
        name: typing.Required[str]
        year: int

    class Pair(typing.NamedTuple):
        a: int
        b: str = ""

    isinstance(5, Runner), Box[int], Box[T][str], Box[int].__origin__, Movie(name="x"), Pair(1)
    Box[int]()
    for hint in (
        typing.Optional[int], typing.Union[int, str, None], typing.Callable[[int], str],
        typing.Literal[1, "a"],
        typing.Annotated[int, "x"], typing.Tuple[int, ...], typing.Dict[str, typing.List[int]],
        typing.Any,
        typing.ClassVar[int], typing.Type[int], int | None, list["int"],
        typing.Concatenate[int, ...],
    ):  # fmt: skip
        repr(hint), typing.get_origin(hint), typing.get_args(hint), hash(hint)
    typing.get_type_hints(Box), typing.get_type_hints(Movie, include_extras=True)
    typing.get_type_hints(work_typing)
    attempt(lambda: typing.Union[5]), attempt(lambda: Box[int, str])
    attempt(typing.get_type_hints, 5)
    typing.cast(int, "x"), typing.NewType("Id", int)(5), typing.no_type_check(Box)
    typing.final(Box)

    @typing.overload
    def over(a: int) -> int: ...
    @typing.overload
    def over(a: str) -> str: ...
    def over(a: Any) -> Any:
        return a

    typing.get_overloads(over), typing.clear_overloads(), over(1)
    typing.ParamSpec("P").args, typing.TypeVarTuple("Ts"), typing.assert_type(1, int)
    typing.is_typeddict(Movie)
    attempt(typing.assert_never, 1), typing.ForwardRef("int"), typing.dataclass_transform()(Box)


def work_functools_operator() -> None:
    @functools.singledispatch
    def show(thing: Any) -> str:
        return "any"

    @show.register
    def _(thing: int) -> str:
        return "int"

    show.register(list, lambda thing: "list")
    show(1), show([]), show("x"), show.dispatch(bool), show.registry

    class Number:
        def __init__(self, value: int) -> None:
            self.value = value

        @functools.cached_property
        def double(self) -> int:
            return self.value * 2

        @functools.singledispatchmethod
        def add(self, other: Any) -> int:
            return 0

        @add.register
        def _(self, other: int) -> int:
            return self.value + other

        add_one = functools.partialmethod(add, 1)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Number) and self.value == other.value

        def __lt__(self, other: Any) -> bool:
            return self.value < other.value

    Number = functools.total_ordering(Number)
    one, two = Number(1), Number(2)
    one >= two, one > two, one <= two, one.double, one.add(5), one.add("x"), one.add_one()
    attempt(show)
    cached = functools.lru_cache(maxsize=2)(lambda n: n)
    [cached(n) for n in (1, 2, 3, 1)], cached.cache_info(), cached.cache_clear()
    functools.cache(len)("abc")
    functools.reduce(operator.add, [1, 2, 3]), functools.partial(print, 1)
    functools.cmp_to_key(lambda a, b: a - b)(1)

    @functools.wraps(len)
    def wrapped() -> None: ...


def work_without_accelerators() -> None:
    pure = without_c("operator", "_operator")
    for name in pure.__all__:
        function = getattr(pure, name)
        for arguments in ((3, 2), ([1, 2], 0), (2,), ({"a": 1}, "a", 5), ([1, 2], [3])):
            attempt(function, *arguments)
    pure.attrgetter("a.b", "c"), pure.itemgetter(1, 2)([1, 2, 3]), pure.methodcaller("upper")("x")
    pure = without_c("functools", "_functools")
    pure.partial(int, base=2)("10"), pure.reduce(max, [1, 5, 2])
    sorted([2, 1], key=pure.cmp_to_key(lambda a, b: a - b))
    for size in (None, 0, 2):
        memo = pure.lru_cache(maxsize=size, typed=size == 2)(lambda n, k=1: n)
        [memo(n % 3, k=n % 2) for n in range(9)], memo.cache_info(), memo.cache_clear()


def work_heapq_bisect() -> None:
    for module in (without_c("heapq", "_heapq"), heapq):
        heap: list[int] = []
        for n in (5, 1, 4, 2, 3):
            module.heappush(heap, n)
        module.heappop(heap), module.heapreplace(heap, 9), module.heappushpop(heap, 0)
        module.heapify(heap)
        list(module.merge([1, 4], [2, 3]))
        list(module.merge([4, 1], [3, 2], key=abs, reverse=True))
        for count in (1, 3, 20):
            module.nlargest(count, range(10)), module.nsmallest(count, range(10), key=lambda n: -n)
    for module in (without_c("bisect", "_bisect"), bisect):
        row = [1, 3, 3, 5]
        module.bisect_left(row, 3), module.bisect_right(row, 3, key=lambda n: n)
        module.insort(row, 4)
        module.insort_left(row, 2, key=lambda n: n), attempt(module.bisect, row, 1, -1)


def work_weakref_copy_graph() -> None:
    class Thing:
        def method(self) -> None: ...

    thing, other = Thing(), Thing()
    values = weakref.WeakValueDictionary({"a": thing, "b": other})
    keys = weakref.WeakKeyDictionary({thing: 1, other: 2})
    group = weakref.WeakSet([thing, other])
    method = weakref.WeakMethod(thing.method)
    finalizer = weakref.finalize(other, list, [1])
    method(), values.get("a"), keys.get(thing), list(values.items()), list(keys.keyrefs())
    thing in group, group | {thing}
    len(group), group - {thing}, group.copy(), values.setdefault("c", thing), keys.pop(thing)
    values | {"d": thing}, copy.copy(keys)
    del other
    len(values), len(keys), len(group), finalizer.alive, method == method, hash(method)
    values.pop("zz", None), repr(values)
    nested = {"a": [1, (2, [3])], "b": {4}, "t": thing}
    copy.deepcopy(nested), copy.copy(nested), copy.deepcopy(bytearray(b"x"))
    copy.deepcopy(Thing().method), copy.copy(Thing())
    if hasattr(copy, "replace"):
        copy.replace(datetime.date(2020, 1, 1), year=2021)
    sorter = graphlib.TopologicalSorter({"d": {"b", "c"}, "b": {"a"}, "c": {"a"}})
    list(sorter.static_order()), attempt(graphlib.TopologicalSorter({1: [2], 2: [1]}).prepare)
    attempt(sorter.add, 1)
    sorter = graphlib.TopologicalSorter()
    sorter.add(1, 2)
    sorter.prepare(), sorter.get_ready(), attempt(sorter.done, 1), sorter.done(2)
    sorter.is_active(), attempt(sorter.add, 3)


def work_contextlib_types() -> None:
    @contextlib.contextmanager
    def manager(swallow: bool) -> Iterator[int]:
        try:
            yield 1
        except ValueError:
            if not swallow:
                raise

    for swallow in (True, False):
        with contextlib.suppress(ValueError), manager(swallow):
            raise ValueError
    with contextlib.ExitStack() as stack:
        stack.enter_context(manager(True)), stack.callback(list), stack.push(lambda *_: True)
        stack.pop_all().close()
        raise KeyError if not stack.push(lambda *_: True) else IndexError
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.closing(io.StringIO()),
        contextlib.nullcontext(),
    ):
        print("x")
    with contextlib.chdir("/"):
        pass

    @manager(True)
    def decorated() -> None: ...

    decorated()
    types.new_class("New", (dict,), {}, lambda space: space.update(a=1))
    types.resolve_bases((typing.List[int],))
    types.prepare_class("X"), types.SimpleNamespace(a=1) == types.SimpleNamespace(a=2)

    @types.coroutine
    def old_style() -> Iterator[int]:
        yield 1

    old_style().close()

    class Lazy:
        @types.DynamicClassAttribute
        def value(self) -> int:
            return 1

    Lazy().value, attempt(lambda: Lazy.value)
    types.get_original_bases(Lazy) if hasattr(types, "get_original_bases") else 0
