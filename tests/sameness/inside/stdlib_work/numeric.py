"""Numbers, dates and addresses."""

from __future__ import annotations

import calendar
import colorsys
import contextlib
import copy
import datetime
import fractions
import ipaddress
import itertools
import numbers
import operator
import random
import statistics
import uuid
from decimal import Decimal

from .tools import attempt, without_c


def _exists(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def work_numbers() -> None:
    Fraction = fractions.Fraction
    for text in ("3/4", "-1.5e2", " 7 ", "1_000/3"):
        value = Fraction(text)
        value + 1, 1 - value, value * 0.5, value / Fraction(2, 3), value // 2, value % 2, value**2
        value**-1, -value
        round(value), round(value, 1), int(value), hash(value), str(value), repr(value), value < 1.5
        value == 2 + 0j
        abs(value), divmod(value, 2), 2**value if value > 0 else 0, f"{value}"
        value.limit_denominator(10), bool(value)
    attempt(Fraction, "x"), attempt(Fraction, 1, 0), Fraction(0.5), Fraction(Decimal("1.1"))
    copy.copy(Fraction(1))
    issubclass(int, numbers.Integral), issubclass(float, numbers.Real)
    numbers.Integral.numerator.fget(5)
    import _pydecimal

    context = _pydecimal.Context(prec=9, rounding=_pydecimal.ROUND_HALF_EVEN)
    with _pydecimal.localcontext(context):
        D = _pydecimal.Decimal
        values = [
            D("1.5"),
            D("-0"),
            D("3e5"),
            D("123456789.123"),
            D("0.001"),
            D("Infinity"),
            D("NaN"),
            D(7),
            D("sNaN"),
        ]
        for a, b in itertools.product(values, repeat=2):
            for function in (
                operator.add,
                operator.sub,
                operator.mul,
                operator.truediv,
                operator.mod,
                operator.lt,
            ):
                attempt(function, a, b)
        for value in values[:5]:
            for name in (
                "sqrt",
                "ln",
                "exp",
                "log10",
                "normalize",
                "to_eng_string",
                "as_tuple",
                "adjusted",
                "next_plus",
            ):
                attempt(getattr(value, name))
            f"{value:.2f} {value:,} {value:e} {value:%} {value:>12} {value:n}"
            attempt(round, value, 1), int(value), hash(value)
            attempt(value.quantize, D("0.01"), rounding=_pydecimal.ROUND_UP), value.compare(D(1))
            value.is_signed(), str(value)
            attempt(value.fma, 2, 3), value**2, attempt(pow, value, D("0.5"))
            value.logical_and(D(1)) if value == 1 else 0
    try:
        import _pylong
    except ImportError:
        return
    _pylong.int_to_decimal_string(3**2000), _pylong.int_from_string("7" * 3000)
    _pylong.int_divmod(7**900, 3**700)


def work_statistics_random() -> None:
    data = [1.5, 2.0, 2.0, 3.25, 4.0, 7.0]
    for name in (
        "mean",
        "fmean",
        "median",
        "median_low",
        "median_high",
        "mode",
        "multimode",
        "pstdev",
        "stdev",
        "variance",
    ):
        getattr(statistics, name)(data)
    statistics.median_grouped(data), statistics.quantiles(data, n=4, method="inclusive")
    statistics.harmonic_mean(data)
    statistics.geometric_mean(data), statistics.correlation(data, data[::-1])
    statistics.linear_regression(data, data)
    statistics.covariance(data, data), statistics.fmean(data, weights=data)
    statistics.variance([fractions.Fraction(1), fractions.Fraction(2)])
    # Explicitly, because mixed data coerce types in the order of a set of types, which is random.
    for types in itertools.product((int, float, bool, Decimal, fractions.Fraction), repeat=2):
        attempt(statistics._coerce, *types)
    normal = statistics.NormalDist(5, 2)
    normal.cdf(3), normal.pdf(3), normal.inv_cdf(0.3), normal.overlap(statistics.NormalDist(4))
    normal + 1, normal * 2
    normal.samples(3, seed=1), normal.quantiles(), normal == normal, hash(normal), repr(normal)
    normal.zscore(2)
    statistics.NormalDist.from_samples(data)
    for name in ("mean", "median", "mode", "stdev"):
        attempt(getattr(statistics, name), [])
    dice = random.Random(7)
    dice.shuffle(list(range(9))), dice.sample(range(100), 5), dice.sample(range(10), 9, counts=None)
    dice.choices("ab", [1, 3], k=4)
    for name, arguments in (
        ("gauss", (0, 1)), ("betavariate", (2, 3)), ("expovariate", (1,)),
        ("gammavariate", (0.5, 1)), ("triangular", ()),
        ("gammavariate", (2, 1)), ("gammavariate", (1, 1)), ("lognormvariate", (0, 1)),
        ("vonmisesvariate", (1, 2)),
        ("paretovariate", (2,)), ("weibullvariate", (1, 2)), ("normalvariate", (0, 1)),
        ("randrange", (1, 10, 3)),
        ("randbytes", (4,)), ("uniform", (1, 2)), ("choice", ("abc",)), ("randint", (1, 6)),
    ):  # fmt: skip
        for _ in range(30):
            getattr(dice, name)(*arguments)
    dice.setstate(dice.getstate()), attempt(dice.sample, [1], 5), attempt(dice.choice, [])
    attempt(dice.randrange, 0)
    random.SystemRandom().random(), dice.seed("text", version=1), dice.seed(b"bytes")


def work_datetime() -> None:
    for module in (
        without_c("_pydatetime" if _exists("_pydatetime") else "datetime", "_datetime"),
        datetime,
    ):
        date, time, delta, moment = module.date, module.time, module.timedelta, module.datetime
        day = date(2024, 2, 29)
        day + delta(days=1), day - date(2000, 1, 1), day.isocalendar(), day.strftime("%Y %j %a")
        day.replace(day=1)
        date.fromisoformat("2024-01-05"), date.fromordinal(5), day.ctime(), day.timetuple()
        hash(day), repr(day), day < day
        date.fromisocalendar(2020, 53, 4), day.weekday(), day.toordinal(), f"{day:%d}"
        day.__reduce__()
        zone = module.timezone(delta(hours=2), "CEST")
        now = moment(2024, 3, 31, 2, 30, 15, 99, tzinfo=zone)
        now.isoformat(), now.astimezone(module.timezone.utc), now.timestamp(), now.utcoffset()
        now - delta(hours=5, weeks=1)
        now.isoformat(timespec="milliseconds"), now.strftime("%f %z %Z %c"), now == now
        now.utctimetuple(), now.replace(fold=1)
        for text in (
            "2024-05-06T07:08:09.123456+01:00",
            "2024-05-06",
            "20240506T0708Z",
            "2024-W10-3",
        ):
            moment.fromisoformat(text)
        for text in ("junk", "2024-13-01", "2024-05-06T99"):
            attempt(moment.fromisoformat, text)
        moment.combine(day, time(5))
        time(1, 2, 3, tzinfo=zone).isoformat(), time.fromisoformat("04:23:01"), time(1) < time(2)
        hash(time(3)), repr(time(4, 5, 6, 7))
        span = delta(days=-1, seconds=5, microseconds=7)
        span * 2, span / 2, span // 3, -span, abs(span), span.total_seconds(), str(span), repr(span)
        divmod(span, delta(1)), span * 1.5
        attempt(date, 2023, 2, 29), attempt(moment, 1, 1, 1, 25)
        attempt(module.timezone, delta(days=2)), repr(zone), zone.utcoffset(None)
        moment.fromtimestamp(0, module.timezone.utc), moment.min, moment.max
        attempt(lambda: moment.max + delta(1))
    datetime.datetime.strptime("5 Feb 2021 10:11:12 PM +0100", "%d %b %Y %I:%M:%S %p %z")
    import time as clock

    for text, form in (
        ("53 2020 3", "%U %Y %w"),
        ("Mon 02 2021", "%a %W %Y"),
        ("100 2021", "%j %Y"),
        ("2015 W 53 4", "%G W %V %u"),
    ):
        clock.strptime(text, form)
    for text, form in (("x", "%Y"), ("1", "%Q"), ("2021 rest", "%Y"), ("2021", "%")):
        attempt(clock.strptime, text, form)
    datetime.datetime.strptime("01/02/99", "%d/%m/%y")


def work_calendar() -> None:
    for kind in (calendar.TextCalendar(6), calendar.HTMLCalendar()):
        kind.formatmonth(2024, 2), kind.formatyear(2023)
    calendar.LocaleTextCalendar(locale="C").formatmonth(2024, 2)
    calendar.HTMLCalendar().formatyearpage(2024), calendar.monthcalendar(2024, 5)
    calendar.timegm((2024, 1, 1, 0, 0, 0))
    plain = calendar.Calendar()
    list(plain.itermonthdates(2024, 1)), list(plain.itermonthdays4(2024, 1))
    plain.yeardayscalendar(2024), plain.yeardays2calendar(2024)
    calendar.leapdays(1900, 2000), calendar.monthrange(2023, 2)
    attempt(calendar.monthrange, 2023, 13), calendar.weekday(2024, 1, 1)


def work_colorsys_uuid_ip() -> None:
    for rgb in itertools.product((0.0, 0.4, 1.0), repeat=3):
        colorsys.hls_to_rgb(*colorsys.rgb_to_hls(*rgb))
        colorsys.hsv_to_rgb(*colorsys.rgb_to_hsv(*rgb))
        colorsys.yiq_to_rgb(*colorsys.rgb_to_yiq(*rgb))
    one = uuid.UUID("{12345678-1234-5678-1234-567812345678}")
    one.fields, one.time, one.urn, one.variant, one.version, one.bytes_le, hash(one)
    one < uuid.UUID(int=5), uuid.UUID(bytes=one.bytes)
    uuid.uuid3(uuid.NAMESPACE_DNS, "x"), uuid.uuid5(uuid.NAMESPACE_URL, "y"), uuid.uuid4()
    attempt(uuid.UUID, "x"), repr(one), int(one)
    for text in (
        "192.0.2.0/24",
        "2001:db8::/32",
        "10.0.0.1",
        "::1",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "127.0.0.0/8",
    ):
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(text)
            address.is_private, address.is_global, address.is_loopback, address.exploded
            address.reverse_pointer, address + 1
            int(address), address.packed, hash(address), repr(address), address < address
            f"{address:x}"
        with contextlib.suppress(ValueError):
            network = ipaddress.ip_network(text)
            network.num_addresses, network.broadcast_address, network.netmask, network.with_hostmask
            network.supernet()
            list(itertools.islice(network.subnets(2 if network.prefixlen < 30 else 0), 2))
            network.overlaps(network)
            list(itertools.islice(network.hosts(), 2))
            network[1] if network.num_addresses > 1 else 0, network.subnet_of(network)
        with contextlib.suppress(ValueError):
            ipaddress.ip_interface(text).with_prefixlen
    for broken in (
        "1.2.3",
        "1.2.3.400",
        "1::2::3",
        "12345::",
        "1.2.3.4/33",
        "01.2.3.4",
        "",
        "::1/129",
        "1.2.3.4/1.2.3.4",
        "g::",
    ):
        attempt(ipaddress.ip_network, broken), attempt(ipaddress.ip_address, broken)
    block = [ipaddress.ip_network(f"10.0.{n}.0/24") for n in range(4)]
    list(ipaddress.collapse_addresses(block))
    list(ipaddress.summarize_address_range(block[0][3], block[2][9]))
    list(ipaddress.ip_network("10.0.0.0/24").address_exclude(ipaddress.ip_network("10.0.0.8/30")))
