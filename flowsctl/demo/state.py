"""What a meter carries from one stretch of its series to the next."""

from __future__ import annotations

from flowsctl.demo.estate import Load, Meter


class MeterState:
    """Counters, balance and generators of one meter, advanced by `series`; at the end what its shadow shows."""

    def __init__(self, meter: Meter, load: Load) -> None:
        self.energy = [load.random("energy", register.id) for register in meter.registers]
        # One generator per use: what one series draws does not change another.
        self.contact = load.random("contact", meter.id)
        self.money = load.random("money", meter.id)
        self.grid = load.random("grid", meter.id)
        start = load.random("start", meter.id)
        self.size = start.uniform(0.6, 1.5)
        """How much this home uses, against an ordinary one."""
        self.signal = start.randint(8, 29)
        self.balance = start.uniform(8, 60)
        self.topup_below = start.uniform(2, 20)
        # Import and export of each register, in Wh: integers add up exactly.
        self.import_wh = [start.randint(100_000, 9_000_000) for _ in meter.registers]
        self.export_wh = [0 if meter.nature != "solar" else start.randint(100_000, 9_000_000) for _ in meter.registers]
        self.csq: int | None = None
        self.voltage: tuple[float, ...] = ()

    @property
    def counters(self) -> list[float]:
        """The last reads as the shadow names them: import_a, export_a and, with two registers, import_b, export_b."""
        pairs = zip(self.import_wh, self.export_wh, strict=True)
        return [value / 1000 for pair in pairs for value in pair]
