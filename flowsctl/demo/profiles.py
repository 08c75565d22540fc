"""Shapes of energy over a day, per half hour of the day (UTC), in kWh. Pure arithmetic."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

HALF_HOURS = 48
NIGHT_END = 14
"""Half hours of the night rate, element B: midnight to 07:00."""


def _hump(slot: int, centre: float, width: float) -> float:
    """A bell around an hour of the day, going round at midnight."""
    distance = abs(slot / 2 - centre)
    return math.exp(-((min(distance, 24 - distance) / width) ** 2))


# Morning and evening peaks over a base of fridges and stand-by: about 8 kWh a day.
POWER = tuple(0.07 + 0.14 * _hump(slot, 7.5, 1.4) + 0.34 * _hump(slot, 18.5, 2.4) for slot in range(HALF_HOURS))
# Heating before waking up and in the evening, hot water in between.
HEAT = tuple(0.10 + 0.55 * _hump(slot, 6.5, 1.8) + 0.45 * _hump(slot, 18.0, 3.0) for slot in range(HALF_HOURS))


def winter(day: datetime) -> float:
    """1 in mid January, 0 in mid July."""
    return 0.5 + 0.5 * math.cos((day.timetuple().tm_yday - 15) / 365 * math.tau)


def solar(day: datetime) -> tuple[float, ...]:
    """A clear day of a 4 kW roof in England: highest at noon, longer and higher in summer."""
    summer = 1 - winter(day)
    half_length = 4.0 + 4.2 * summer
    peak = 0.55 + 1.05 * summer
    return tuple(
        peak * math.cos((slot / 2 + 0.25 - 12) / half_length * math.pi / 2) ** 1.5
        if abs(slot / 2 + 0.25 - 12) < half_length
        else 0.0
        for slot in range(HALF_HOURS)
    )


def of_day(nature: str, element: str, day: datetime) -> tuple[float, ...]:
    """The mean kWh of each half hour of a day, for an ordinary home."""
    if nature == "solar":
        return solar(day)
    if nature == "heat":
        factor = 0.25 + 1.1 * winter(day)
        return tuple(value * factor for value in HEAT)
    factor = (0.85 + 0.3 * winter(day)) * (1.12 if day.weekday() >= 5 else 1.0)
    shape = [value * factor for value in POWER]
    if element == "A":
        shape[:NIGHT_END] = [0.0] * NIGHT_END
    elif element == "B":
        # Storage and charging move into the cheap hours.
        shape = [value * 2.2 for value in shape[:NIGHT_END]] + [0.0] * (HALF_HOURS - NIGHT_END)
    return tuple(shape)


def slot_of(moment: datetime) -> int:
    """Which half hour of its day a moment is in."""
    return moment.hour * 2 + moment.minute // 30


def midnight(moment: datetime) -> datetime:
    """The start of its day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def next_midnight(moment: datetime) -> datetime:
    """The start of the day after."""
    return midnight(moment) + timedelta(days=1)
