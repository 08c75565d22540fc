"""PostgreSQL intervals as text: parsed, checked and written in one form, whoever wrote them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MONTHS = {"year": 12, "yr": 12, "y": 12, "month": 1, "mon": 1, "decade": 120, "century": 1200}
_DAYS = {"week": 7, "w": 7, "day": 1, "d": 1}
_MICROSECONDS = {
    "hour": 3_600_000_000,
    "hr": 3_600_000_000,
    "h": 3_600_000_000,
    "minute": 60_000_000,
    "min": 60_000_000,
    "m": 60_000_000,
    "second": 1_000_000,
    "sec": 1_000_000,
    "s": 1_000_000,
    "millisecond": 1_000,
    "ms": 1_000,
    "microsecond": 1,
    "us": 1,
}
_CLOCK = re.compile(r"(-)?(\d+):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\Z")
_TERM = re.compile(r"([+-]?\d+)\s*([a-z]+)|(-?\d+:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)|(\S+)")


@dataclass(frozen=True)
class Duration:
    """An interval as the server stores it. Units: months, days, microseconds; none converts to another."""

    months: int = 0
    days: int = 0
    microseconds: int = 0

    def approximate_days(self) -> float:
        """For ordering only: a month counts 30 days, as in PostgreSQL's interval comparison."""
        return self.months * 30 + self.days + self.microseconds / 86_400_000_000

    def __str__(self) -> str:
        years, months = divmod(self.months, 12) if self.months >= 0 else (0, self.months)
        hours, rest = divmod(abs(self.microseconds), 3_600_000_000)
        minutes, rest = divmod(rest, 60_000_000)
        seconds, micro = divmod(rest, 1_000_000)
        sign = -1 if self.microseconds < 0 else 1
        terms = [
            (years, "year"),
            (months, "month"),
            (self.days, "day"),
            (sign * hours, "hour"),
            (sign * minutes, "minute"),
            (sign * seconds, "second"),
            (sign * micro, "microsecond"),
        ]
        return " ".join(_term(n, unit) for n, unit in terms if n) or "0 seconds"


def _term(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def parse_interval(text: str) -> Duration:
    """The interval that `text` names ("7 days", "1 mon 02:30:00", "30 min").

    Raises:
        ValueError: a part is not a number and a unit, nor a clock time.
    """
    months = days = micro = 0
    seen = False
    for number, unit, clock, junk in _TERM.findall(text.strip().lower()):
        if junk:
            raise ValueError(f'"{text}" is not an interval: "{junk}" is not a number and a unit')
        seen = True
        if clock:
            micro += _clock(clock)
            continue
        name = unit if unit in _MICROSECONDS else unit.removesuffix("s")
        if name in _MONTHS:
            months += int(number) * _MONTHS[name]
        elif name in _DAYS:
            days += int(number) * _DAYS[name]
        elif name in _MICROSECONDS:
            micro += int(number) * _MICROSECONDS[name]
        else:
            raise ValueError(f'"{text}" is not an interval: unknown unit "{unit}"')
    if not seen:
        raise ValueError("an interval cannot be empty")
    return Duration(months, days, micro)


def _clock(text: str) -> int:
    match = _CLOCK.match(text)
    assert match is not None  # _TERM let it through
    sign, hours, minutes, seconds, fraction = match.groups()
    micro = (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)) * 1_000_000
    micro += int((fraction or "0").ljust(6, "0"))
    return -micro if sign else micro


def normal_interval(text: str) -> str:
    """`text` in the form used in specs, state and comparisons: "00:30:00" -> "30 minutes"."""
    return str(parse_interval(text))
