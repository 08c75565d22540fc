"""The demo estate: escos with meters, registers and what connects them. Pure, no connection.

Out of ten meters of an esco, three read one register of electricity, five read two (day and night; the last of them is
a three-phase supply), one reads heat, one reads solar generation: 1.5 registers per meter, as in DOMAIN 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from flowsctl.demo.ids import esco_codes, uid

BLOCK = 10
SINGLE_RATE = (0, 1, 2)
TWO_RATE = (3, 4, 5, 6, 7)
THREE_PHASE = 7
HEAT = 8
SOLAR = 9
METERS_PER_SITE = 50
METERS_PER_FEEDER = 25
CHARGERS = 2
# Silent meters, for the views meters_offline_recently and meters_offline_all: every 25th and every 50th meter.
SILENT_SOME_HOURS = (25, 24)
SILENT_SOME_DAYS = (50, 37)


@dataclass(frozen=True)
class Register:
    """One measured quantity of a meter."""

    id: UUID
    element: str
    nature: str


@dataclass(frozen=True)
class Meter:
    """A meter and where it hangs."""

    id: UUID
    esco: str
    number: int
    registers: tuple[Register, ...]
    home: int
    """Number of the meter whose property and service head this one shares; its own where it has one."""

    @property
    def nature(self) -> str:
        """heat, power or solar."""
        return self.registers[0].nature

    @property
    def three_phase(self) -> bool:
        """Whether its voltages go to meter_3p_voltage."""
        return self.number % BLOCK == THREE_PHASE

    @property
    def prepay(self) -> bool:
        """Whether it has a balance: homes with electricity do."""
        return self.number % BLOCK < THREE_PHASE

    @property
    def silent_hours(self) -> int:
        """For how long it has not been heard of."""
        if self.number % SILENT_SOME_DAYS[0] == SILENT_SOME_DAYS[1]:
            return 72
        return 5 if self.number % SILENT_SOME_HOURS[0] == SILENT_SOME_HOURS[1] else 0


@dataclass(frozen=True)
class Esco:
    """An esco and its meters."""

    id: UUID
    code: str
    ordinal: int
    meters: tuple[Meter, ...]


@dataclass(frozen=True)
class Load:
    """What one load makes: the estate, and the time span its series fill, `start` exclusive for readings."""

    escos: tuple[Esco, ...]
    start: datetime
    until: datetime
    seed: int

    @property
    def days(self) -> int:
        """Length of the span."""
        return (self.until - self.start).days

    @property
    def meters(self) -> list[Meter]:
        """Every meter of every esco."""
        return [meter for esco in self.escos for meter in esco.meters]

    def random(self, *parts: object) -> Random:
        """A generator of its own for one thing, so that no order of work changes what it draws."""
        return Random(f"{self.seed}/" + "/".join(map(str, parts)))


def estate(escos: int, meters: int) -> tuple[Esco, ...]:
    """The first escos, each with that many meters."""
    return tuple(
        Esco(uid("esco", code), code, ordinal, tuple(_meter(code, number) for number in range(meters)))
        for ordinal, code in enumerate(esco_codes(escos))
    )


def _meter(code: str, number: int) -> Meter:
    place = number % BLOCK
    nature = {HEAT: "heat", SOLAR: "solar"}.get(place, "power")
    elements = ("A", "B") if place in TWO_RATE else ("SINGLE",)
    registers = tuple(Register(uid("register", code, number, element), element, nature) for element in elements)
    # The heat meter is in the first home of its ten, the solar meter on the second one's roof.
    home = number - place + {HEAT: 0, SOLAR: 1}.get(place, place)
    return Meter(uid("meter", code, number), code, number, registers, home)
