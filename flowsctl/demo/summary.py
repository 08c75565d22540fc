"""What the API shows of an esco, asked as any client would: HTTP and a signed token."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flowsctl.errors import FlowsError
from flowsctl.stack_outputs import StackOutputs
from flowsctl.tokens import sign

SECONDS = 60
TOKEN_SECONDS = 600
ROLE = "public_backend"


@dataclass(frozen=True)
class Shown:
    """One esco through the API."""

    code: str
    meters: int
    registers: int
    half_hours: int
    newest_half_hour: str
    day: str
    """The last day with data; the two figures below are of that day."""
    import_kwh: float
    export_kwh: float
    low_balance: int
    offline: int

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return asdict(self)

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.code}  {self.meters} meters, {self.registers} registers, {self.half_hours} half-hours to "
            f"{self.newest_half_hour}; {self.day}: {self.import_kwh:.1f} kWh in, {self.export_kwh:.1f} kWh out; "
            f"{self.low_balance} with low balance, {self.offline} offline"
        )


class Api:
    """The stack's API for one esco."""

    def __init__(self, outputs: StackOutputs, esco: str) -> None:
        if outputs.api is None:
            raise FlowsError("the stack has no API", "ask the database: flowsctl psql")
        self.url = outputs.api.url
        _, self.token = sign(outputs, f"{outputs.role_prefix}{ROLE}", esco, TOKEN_SECONDS)

    def get(self, path: str, *, count: bool = False) -> tuple[list[dict[str, Any]], int]:
        """The rows of one request and, with `count`, how many there are in all. Raises FlowsError."""
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Prefer": "count=exact"} if count else {})
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as reply:
                rows: list[dict[str, Any]] = json.load(reply)
                total = str(reply.headers.get("Content-Range", "")).rpartition("/")[2]
        except urllib.error.HTTPError as error:
            raise FlowsError(
                f"the API refused {path}: {error.code} {error.read().decode(errors='replace')[:300]}",
                "the demo data is loaded; run flowsctl up and ask it again",
            ) from error
        except OSError as error:
            raise FlowsError(
                f"the API does not answer at {self.url}: {error}", "the demo data is loaded; run flowsctl up"
            ) from error
        return rows, int(total) if count else len(rows)

    def count(self, path: str) -> int:
        """How many rows a path has."""
        return self.get(f"{path}{'&' if '?' in path else '?'}limit=1", count=True)[1]


def shown(outputs: StackOutputs, code: str, esco: str, until: datetime) -> Shown:
    """What the API shows of an esco whose series end at `until`."""
    api = Api(outputs, esco)
    day: date = (until - timedelta(minutes=30)).date()
    energy, _ = api.get(f"circuit_interval_daily?select=total_import_kwh,total_export_kwh&day=eq.{day}T00:00:00Z")
    newest, half_hours = api.get("register_interval_hh?select=timestamp&order=timestamp.desc&limit=1", count=True)
    return Shown(
        code=code,
        meters=api.count("meter_registry?select=id"),
        registers=api.count("meter_registers?select=register_id"),
        half_hours=half_hours,
        newest_half_hour=str(newest[0]["timestamp"]) if newest else "",
        day=str(day),
        import_kwh=round(sum(row["total_import_kwh"] for row in energy), 3),
        export_kwh=round(sum(row["total_export_kwh"] for row in energy), 3),
        low_balance=api.count("meters_low_balance?select=id"),
        offline=api.count("meters_offline_all?select=id"),
    )
