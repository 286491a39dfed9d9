"""Data types, numbers, dates, functions and classes."""

from __future__ import annotations

import abc
import bisect
import calendar
import collections
import colorsys
import contextlib
import copy
import dataclasses
import datetime
import enum
import fractions
import functools
import graphlib
import heapq
import io
import ipaddress
import itertools
import numbers
import operator
import random
import statistics
import types
import typing
import uuid
import weakref
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from decimal import Decimal
from typing import Any


def _attempt(function: Any, *arguments: Any, **named: Any) -> None:
    """Call something that is expected to refuse."""
    try:
        function(*arguments, **named)
    except Exception as error:
        str(error)


def work_collections() -> None:
    Point = collections.namedtuple("Point", "x y class z", rename=True, defaults=[0])
    point = Point(1, 2, 3)
    point._replace(x=5), point._asdict(), Point._make(range(4)), repr(point)
    _attempt(collections.namedtuple, "a b", "x")
    _attempt(point._replace, nothing=1)
    counter = collections.Counter("abracadabra")
    counter.subtract("aab"), counter.most_common(2), counter + counter, counter - counter, counter & counter
    counter | counter, +counter, -counter, counter.total(), list(counter.elements()), repr(counter)
    counter <= counter, counter < counter, counter == {"a": 1}
    counter.update({"x": 3}, y=2)
    _attempt(collections.Counter.fromkeys, "a")
    chain = collections.ChainMap({"a": 1}, {"b": 2})
    _attempt(chain.__getitem__, "c"), chain.new_child({"d": 1}), chain.parents, list(chain), chain.get("zz"), "b" in chain
    chain["c"] = 3
    chain.pop("c"), _attempt(chain.pop, "b"), chain | {"e": 1}, {"e": 1} | chain, repr(chain), bool(chain)

    class Text(collections.UserString):
        pass

    class Items(collections.UserList[int]):
        pass

    class Table(collections.UserDict[str, int]):
        def __missing__(self, key: str) -> int:
            return 0

    text = Text("Hello World")
    for name in ("upper", "title", "split", "swapcase", "isalpha", "encode", "splitlines", "strip", "casefold"):
        getattr(text, name)()
    text + "x", "x" + text, text * 2, text % (), text[1:3], text.replace("o", "0"), text.find("W"), hash(text)
    items = Items([3, 1, 2])
    items.append(4), items.sort(), items.reverse(), items.insert(0, 9), items.extend([5]), items.pop(), items + [1]
    items[1:2], items * 2, items.copy(), items.count(1), items.index(9), items == [1], items.remove(9)
    table = Table(a=1)
    table["zz"], table | {"b": 2}, table.copy(), Table.fromkeys("ab", 1), "a" in table, copy.copy(table)
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a"), reversed(ordered), ordered.popitem(last=False)


def work_abc() -> None:
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

    table = Table()
    table.update({"a": 1}, b=2)
    table.update([("c", 3)])
    table.setdefault("d", 4), table.pop("a"), table.pop("zz", None), table.popitem(), table.get("q"), "b" in table
    list(table.items()), list(table.values()), table.keys() & {"b"}, repr(table.keys()), table == {"b": 2}
    ("b", 2) in table.items(), 2 in table.values(), table.clear()
    row = Row()
    row.extend([3, 1, 2]), row.append(5), row.reverse(), row.pop(), row.remove(1), row.index(2), row.count(3)
    list(reversed(row)), 3 in row, _attempt(row.index, 77), row.clear()
    row += [1]
    bag = Bag([1, 2, 3])
    bag | [4], bag & [1], bag - [1], bag ^ [1, 9], [1] - bag, bag <= bag, bag < bag, bag > Bag(), bag == Bag(), bag >= bag
    bag |= Bag([7])
    bag &= Bag([7, 1])
    bag -= Bag([1])
    bag ^= Bag([8])
    bag.isdisjoint([100]), bag.pop(), bag.remove(8) if 8 in bag else None, _attempt(bag.remove, 55), bag.clear()
    bag._hash()

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
    isinstance(1, Pure), isinstance(1, Pure), issubclass(Duck, Pure), isinstance("s", Pure), issubclass(list, Pure)
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

    Color("rot"), Color["RED"], list(Color), Color.RED.nice, repr(Color.RED), Color.__members__, Color(1) in Color
    _attempt(Color, 99), _attempt(setattr, Color, "RED", 1), _attempt(Color, [])
    ~Bits.A, Bits.A | Bits.B, Bits.AB ^ Bits.A, list(Bits.AB), Bits(0), repr(Bits.AB), bool(Bits(0)), Bits.A in Bits.AB
    _attempt(Bits, 64), Mode(64), Mode.R | 8, ~Mode.R, repr(Mode(12)), f"{Mode.R}", Word.ONE + "x", Level.LOW < 2
    enum.Enum("Animal", "CAT DOG", module=__name__), enum.IntEnum("N", {"A": 1}), enum.unique(Level)
    _attempt(enum.unique, Color)
    enum.show_flag_values(6), enum.bin(-5), copy.deepcopy(Color.RED), dir(Color), dir(Color.RED)
    enum.verify(enum.CONTINUOUS, enum.NAMED_FLAGS)(Level)

    def broken() -> None:
        class Bad(enum.Enum):
            A = 1
            A = 2  # noqa: PIE794

    _attempt(broken)


def work_dataclasses() -> None:
    @dataclasses.dataclass(order=True, unsafe_hash=True)
    class Base:
        x: int
        y: list[int] = dataclasses.field(default_factory=list, compare=False, repr=False, hash=False)
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
    dataclasses.asdict(Child(1, [1], 0, {"a": (Base(2),)})), dataclasses.astuple(Child(1)), dataclasses.fields(Frozen)
    frozen = Frozen(a=2)
    _attempt(setattr, frozen, "a", 3), _attempt(delattr, frozen, "a"), copy.copy(frozen), dataclasses.is_dataclass(frozen)
    made = dataclasses.make_dataclass("Made", [("a", int), "b", ("c", int, 5)], namespace={"f": lambda self: 1})
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

    _attempt(bad_default), _attempt(bad_order), _attempt(dataclasses.fields, 5), _attempt(dataclasses.asdict, 5)


T = typing.TypeVar("T")


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

    isinstance(5, Runner), Box[int], Box[T][str], Box[int].__origin__, Movie(name="x"), Pair(1), Box[int]()
    for hint in (
        typing.Optional[int], typing.Union[int, str, None], typing.Callable[[int], str], typing.Literal[1, "a"],
        typing.Annotated[int, "x"], typing.Tuple[int, ...], typing.Dict[str, typing.List[int]], typing.Any,
        typing.ClassVar[int], typing.Type[int], int | None, list["int"], typing.Concatenate[int, ...],
    ):  # fmt: skip
        repr(hint), typing.get_origin(hint), typing.get_args(hint), hash(hint)
    typing.get_type_hints(Box), typing.get_type_hints(Movie, include_extras=True), typing.get_type_hints(work_typing)
    _attempt(lambda: typing.Union[5]), _attempt(lambda: Box[int, str]), _attempt(typing.get_type_hints, 5)
    typing.cast(int, "x"), typing.NewType("Id", int)(5), typing.no_type_check(Box), typing.final(Box)

    @typing.overload
    def over(a: int) -> int: ...
    @typing.overload
    def over(a: str) -> str: ...
    def over(a: Any) -> Any:
        return a

    typing.get_overloads(over), typing.clear_overloads(), over(1)
    typing.ParamSpec("P").args, typing.TypeVarTuple("Ts"), typing.assert_type(1, int), typing.is_typeddict(Movie)
    _attempt(typing.assert_never, 1), typing.ForwardRef("int"), typing.dataclass_transform()(Box)


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
    one >= two, one > two, one <= two, one.double, one.add(5), one.add("x"), one.add_one(), _attempt(show)
    cached = functools._lru_cache_wrapper if False else functools.lru_cache(maxsize=2)(lambda n: n)
    [cached(n) for n in (1, 2, 3, 1)], cached.cache_info(), cached.cache_clear(), functools.cache(len)("abc")
    functools.reduce(operator.add, [1, 2, 3]), functools.partial(print, 1), functools.cmp_to_key(lambda a, b: a - b)(1)

    @functools.wraps(len)
    def wrapped() -> None: ...

    import importlib.util

    pure = _without_c("operator", "_operator")
    for name in pure.__all__:
        function = getattr(pure, name)
        for arguments in ((3, 2), ([1, 2], 0), (2,), ({"a": 1}, "a", 5), ([1, 2], [3])):
            _attempt(function, *arguments)
    pure.attrgetter("a.b", "c"), pure.itemgetter(1, 2)([1, 2, 3]), pure.methodcaller("upper")("x")
    pure = _without_c("functools", "_functools")
    pure.partial(int, base=2)("10"), pure.reduce(max, [1, 5, 2]), sorted([2, 1], key=pure.cmp_to_key(lambda a, b: a - b))
    for size in (None, 0, 2):
        memo = pure.lru_cache(maxsize=size, typed=size == 2)(lambda n, k=1: n)
        [memo(n % 3, k=n % 2) for n in range(9)], memo.cache_info(), memo.cache_clear()
    del importlib


def _without_c(name: str, accelerator: str) -> types.ModuleType:
    """A copy of a module that didn't find its accelerator."""
    import importlib.util
    import sys

    saved = sys.modules.get(accelerator)
    sys.modules[accelerator] = None  # type: ignore[assignment]
    try:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        del sys.modules[accelerator]
        if saved is not None:
            sys.modules[accelerator] = saved
    return module


def _exists(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def work_heapq_bisect() -> None:
    for module in (_without_c("heapq", "_heapq"), heapq):
        heap: list[int] = []
        for n in (5, 1, 4, 2, 3):
            module.heappush(heap, n)
        module.heappop(heap), module.heapreplace(heap, 9), module.heappushpop(heap, 0), module.heapify(heap)
        list(module.merge([1, 4], [2, 3])), list(module.merge([4, 1], [3, 2], key=abs, reverse=True))
        for count in (1, 3, 20):
            module.nlargest(count, range(10)), module.nsmallest(count, range(10), key=lambda n: -n)
    for module in (_without_c("bisect", "_bisect"), bisect):
        row = [1, 3, 3, 5]
        module.bisect_left(row, 3), module.bisect_right(row, 3, key=lambda n: n), module.insort(row, 4)
        module.insort_left(row, 2, key=lambda n: n), _attempt(module.bisect, row, 1, -1)


def work_numbers() -> None:
    Fraction = fractions.Fraction
    for text in ("3/4", "-1.5e2", " 7 ", "1_000/3"):
        value = Fraction(text)
        value + 1, 1 - value, value * 0.5, value / Fraction(2, 3), value // 2, value % 2, value**2, value**-1, -value
        round(value), round(value, 1), int(value), hash(value), str(value), repr(value), value < 1.5, value == 2 + 0j
        abs(value), divmod(value, 2), 2**value if value > 0 else 0, f"{value}", value.limit_denominator(10), bool(value)
    _attempt(Fraction, "x"), _attempt(Fraction, 1, 0), Fraction(0.5), Fraction(Decimal("1.1")), copy.copy(Fraction(1))
    issubclass(int, numbers.Integral), issubclass(float, numbers.Real), numbers.Integral.numerator.fget(5)
    import _pydecimal

    context = _pydecimal.Context(prec=9, rounding=_pydecimal.ROUND_HALF_EVEN)
    with _pydecimal.localcontext(context):
        D = _pydecimal.Decimal
        values = [D("1.5"), D("-0"), D("3e5"), D("123456789.123"), D("0.001"), D("Infinity"), D("NaN"), D(7), D("sNaN")]
        for a, b in itertools.product(values, repeat=2):
            for function in (operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.lt):
                _attempt(function, a, b)
        for value in values[:5]:
            for name in ("sqrt", "ln", "exp", "log10", "normalize", "to_eng_string", "as_tuple", "adjusted", "next_plus"):
                _attempt(getattr(value, name))
            f"{value:.2f} {value:,} {value:e} {value:%} {value:>12} {value:n}", _attempt(round, value, 1), int(value), hash(value)
            _attempt(value.quantize, D("0.01"), rounding=_pydecimal.ROUND_UP), value.compare(D(1)), value.is_signed(), str(value)
            _attempt(value.fma, 2, 3), value**2, _attempt(pow, value, D("0.5")), value.logical_and(D(1)) if value == 1 else 0
    try:
        import _pylong
    except ImportError:
        return
    _pylong.int_to_decimal_string(3**2000), _pylong.int_from_string("7" * 3000), _pylong.int_divmod(7**900, 3**700)


def work_statistics_random() -> None:
    data = [1.5, 2, 2, 3.25, 4, 7]
    for name in ("mean", "fmean", "median", "median_low", "median_high", "mode", "multimode", "pstdev", "stdev", "variance"):
        getattr(statistics, name)(data)
    statistics.median_grouped(data), statistics.quantiles(data, n=4, method="inclusive"), statistics.harmonic_mean(data)
    statistics.geometric_mean(data), statistics.correlation(data, data[::-1]), statistics.linear_regression(data, data)
    statistics.covariance(data, data), statistics.fmean(data, weights=data), statistics.variance([fractions.Fraction(1), 2])
    normal = statistics.NormalDist(5, 2)
    normal.cdf(3), normal.pdf(3), normal.inv_cdf(0.3), normal.overlap(statistics.NormalDist(4)), normal + 1, normal * 2
    normal.samples(3, seed=1), normal.quantiles(), normal == normal, hash(normal), repr(normal), normal.zscore(2)
    statistics.NormalDist.from_samples(data)
    for name in ("mean", "median", "mode", "stdev"):
        _attempt(getattr(statistics, name), [])
    dice = random.Random(7)
    dice.shuffle(list(range(9))), dice.sample(range(100), 5), dice.sample(range(10), 9, counts=None), dice.choices("ab", [1, 3], k=4)
    for name, arguments in (
        ("gauss", (0, 1)), ("betavariate", (2, 3)), ("expovariate", (1,)), ("gammavariate", (0.5, 1)), ("triangular", ()),
        ("gammavariate", (2, 1)), ("gammavariate", (1, 1)), ("lognormvariate", (0, 1)), ("vonmisesvariate", (1, 2)),
        ("paretovariate", (2,)), ("weibullvariate", (1, 2)), ("normalvariate", (0, 1)), ("randrange", (1, 10, 3)),
        ("randbytes", (4,)), ("uniform", (1, 2)), ("choice", ("abc",)), ("randint", (1, 6)),
    ):  # fmt: skip
        for _ in range(30):
            getattr(dice, name)(*arguments)
    dice.setstate(dice.getstate()), _attempt(dice.sample, [1], 5), _attempt(dice.choice, []), _attempt(dice.randrange, 0)
    random.SystemRandom().random(), dice.seed("text", version=1), dice.seed(b"bytes")


def work_datetime() -> None:
    for module in (_without_c("_pydatetime" if _exists("_pydatetime") else "datetime", "_datetime"), datetime):
        date, time, delta, moment = module.date, module.time, module.timedelta, module.datetime
        day = date(2024, 2, 29)
        day + delta(days=1), day - date(2000, 1, 1), day.isocalendar(), day.strftime("%Y %j %a"), day.replace(day=1)
        date.fromisoformat("2024-01-05"), date.fromordinal(5), day.ctime(), day.timetuple(), hash(day), repr(day), day < day
        date.fromisocalendar(2020, 53, 4), day.weekday(), day.toordinal(), f"{day:%d}", day.__reduce__()
        zone = module.timezone(delta(hours=2), "CEST")
        now = moment(2024, 3, 31, 2, 30, 15, 99, tzinfo=zone)
        now.isoformat(), now.astimezone(module.timezone.utc), now.timestamp(), now.utcoffset(), now - delta(hours=5, weeks=1)
        now.isoformat(timespec="milliseconds"), now.strftime("%f %z %Z %c"), now == now, now.utctimetuple(), now.replace(fold=1)
        for text in ("2024-05-06T07:08:09.123456+01:00", "2024-05-06", "20240506T0708Z", "2024-W10-3"):
            moment.fromisoformat(text)
        for text in ("junk", "2024-13-01", "2024-05-06T99"):
            _attempt(moment.fromisoformat, text)
        moment.combine(day, time(5))
        time(1, 2, 3, tzinfo=zone).isoformat(), time.fromisoformat("04:23:01"), time(1) < time(2), hash(time(3)), repr(time(4, 5, 6, 7))
        span = delta(days=-1, seconds=5, microseconds=7)
        span * 2, span / 2, span // 3, -span, abs(span), span.total_seconds(), str(span), repr(span), divmod(span, delta(1)), span * 1.5
        _attempt(date, 2023, 2, 29), _attempt(moment, 1, 1, 1, 25), _attempt(module.timezone, delta(days=2)), repr(zone), zone.utcoffset(None)
        moment.fromtimestamp(0, module.timezone.utc), moment.min, moment.max, _attempt(lambda: moment.max + delta(1))
    datetime.datetime.strptime("5 Feb 2021 10:11:12 PM +0100", "%d %b %Y %I:%M:%S %p %z")
    import time as clock

    for text, form in (("53 2020 3", "%U %Y %w"), ("Mon 02 2021", "%a %W %Y"), ("100 2021", "%j %Y"), ("2015 W 53 4", "%G W %V %u")):
        clock.strptime(text, form)
    for text, form in (("x", "%Y"), ("1", "%Q"), ("2021 rest", "%Y"), ("2021", "%")):
        _attempt(clock.strptime, text, form)
    datetime.datetime.strptime("01/02/99", "%d/%m/%y")


def work_calendar() -> None:
    for kind in (calendar.TextCalendar(6), calendar.HTMLCalendar()):
        kind.formatmonth(2024, 2), kind.formatyear(2023)
    calendar.LocaleTextCalendar(locale="C").formatmonth(2024, 2)
    calendar.HTMLCalendar().formatyearpage(2024), calendar.monthcalendar(2024, 5), calendar.timegm((2024, 1, 1, 0, 0, 0))
    plain = calendar.Calendar()
    list(plain.itermonthdates(2024, 1)), list(plain.itermonthdays4(2024, 1)), plain.yeardayscalendar(2024), plain.yeardays2calendar(2024)
    calendar.leapdays(1900, 2000), calendar.monthrange(2023, 2), _attempt(calendar.monthrange, 2023, 13), calendar.weekday(2024, 1, 1)


def work_colorsys_uuid_ip() -> None:
    for rgb in itertools.product((0.0, 0.4, 1.0), repeat=3):
        colorsys.hls_to_rgb(*colorsys.rgb_to_hls(*rgb)), colorsys.hsv_to_rgb(*colorsys.rgb_to_hsv(*rgb))
        colorsys.yiq_to_rgb(*colorsys.rgb_to_yiq(*rgb))
    one = uuid.UUID("{12345678-1234-5678-1234-567812345678}")
    one.fields, one.time, one.urn, one.variant, one.version, one.bytes_le, hash(one), one < uuid.UUID(int=5), uuid.UUID(bytes=one.bytes)
    uuid.uuid3(uuid.NAMESPACE_DNS, "x"), uuid.uuid5(uuid.NAMESPACE_URL, "y"), uuid.uuid4(), _attempt(uuid.UUID, "x"), repr(one), int(one)
    for text in ("192.0.2.0/24", "2001:db8::/32", "10.0.0.1", "::1", "::ffff:1.2.3.4", "fe80::1%eth0", "127.0.0.0/8"):
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(text)
            address.is_private, address.is_global, address.is_loopback, address.exploded, address.reverse_pointer, address + 1
            int(address), address.packed, hash(address), repr(address), address < address, f"{address:x}"
        with contextlib.suppress(ValueError):
            network = ipaddress.ip_network(text)
            network.num_addresses, network.broadcast_address, network.netmask, network.with_hostmask, network.supernet()
            list(itertools.islice(network.subnets(2 if network.prefixlen < 30 else 0), 2)), network.overlaps(network)
            list(itertools.islice(network.hosts(), 2)), network[1] if network.num_addresses > 1 else 0, network.subnet_of(network)
        with contextlib.suppress(ValueError):
            ipaddress.ip_interface(text).with_prefixlen
    for broken in ("1.2.3", "1.2.3.400", "1::2::3", "12345::", "1.2.3.4/33", "01.2.3.4", "", "::1/129", "1.2.3.4/1.2.3.4", "g::"):
        _attempt(ipaddress.ip_network, broken), _attempt(ipaddress.ip_address, broken)
    block = [ipaddress.ip_network(f"10.0.{n}.0/24") for n in range(4)]
    list(ipaddress.collapse_addresses(block)), list(ipaddress.summarize_address_range(block[0][3], block[2][9]))
    list(ipaddress.ip_network("10.0.0.0/24").address_exclude(ipaddress.ip_network("10.0.0.8/30")))


def work_weakref_copy_graph() -> None:
    class Thing:
        def method(self) -> None: ...

    thing, other = Thing(), Thing()
    values = weakref.WeakValueDictionary({"a": thing, "b": other})
    keys = weakref.WeakKeyDictionary({thing: 1, other: 2})
    group = weakref.WeakSet([thing, other])
    method = weakref.WeakMethod(thing.method)
    finalizer = weakref.finalize(other, list, [1])
    method(), values.get("a"), keys.get(thing), list(values.items()), list(keys.keyrefs()), thing in group, group | {thing}
    len(group), group - {thing}, group.copy(), values.setdefault("c", thing), keys.pop(thing), values | {"d": thing}, copy.copy(keys)
    del other
    len(values), len(keys), len(group), finalizer.alive, method == method, hash(method), values.pop("zz", None), repr(values)
    nested = {"a": [1, (2, [3])], "b": {4}, "t": thing}
    copy.deepcopy(nested), copy.copy(nested), copy.deepcopy(bytearray(b"x")), copy.deepcopy(Thing().method), copy.copy(Thing())
    if hasattr(copy, "replace"):
        copy.replace(datetime.date(2020, 1, 1), year=2021)
    sorter = graphlib.TopologicalSorter({"d": {"b", "c"}, "b": {"a"}, "c": {"a"}})
    list(sorter.static_order()), _attempt(graphlib.TopologicalSorter({1: [2], 2: [1]}).prepare), _attempt(sorter.add, 1)
    sorter = graphlib.TopologicalSorter()
    sorter.add(1, 2)
    sorter.prepare(), sorter.get_ready(), _attempt(sorter.done, 1), sorter.done(2), sorter.is_active(), _attempt(sorter.add, 3)


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
        stack.enter_context(manager(True)), stack.callback(list), stack.push(lambda *_: True), stack.pop_all().close()
        raise KeyError if not stack.push(lambda *_: True) else IndexError
    with contextlib.redirect_stdout(io.StringIO()), contextlib.closing(io.StringIO()), contextlib.nullcontext():
        print("x")
    with contextlib.chdir("/"):
        pass

    @manager(True)
    def decorated() -> None: ...

    decorated()
    types.new_class("New", (dict,), {}, lambda space: space.update(a=1)), types.resolve_bases((typing.List[int],))
    types.prepare_class("X"), types.SimpleNamespace(a=1) == types.SimpleNamespace(a=2)

    @types.coroutine
    def old_style() -> Iterator[int]:
        yield 1

    old_style().close()

    class Lazy:
        @types.DynamicClassAttribute
        def value(self) -> int:
            return 1

    Lazy().value, _attempt(lambda: Lazy.value), types.get_original_bases(Lazy) if hasattr(types, "get_original_bases") else 0
