"""Example requests of the API: one GET per view made from its columns, writes from api_writes.json. Every one is sent
by a test to a stack with the demo data of the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flowsctl.demo.estate import THREE_PHASE
from flowsctl.demo.ids import uid
from flowsctl.site.catalogue import API, Catalogue
from flowsctl.site.rights import readers_of
from pulumi_timescaledb.specs.view import View

WRITES = Path(__file__).resolve().parent / "api_writes.json"
ESCO = "WLCE"
READER, WRITER = "public_backend", "flows_api_writer"
KEYS = {
    "register_id": str(uid("register", ESCO, 0, "SINGLE")),
    "meter_id": str(uid("meter", ESCO, 0)),
    "circuit_id": str(uid("circuit", ESCO, 0)),
}
"""Demo rows that the examples ask for, by the column that names them."""
THREE_PHASE_METER = str(uid("meter", ESCO, THREE_PHASE))
TIMES = ("timestamp", "day", "month", "date")
SINCE = "2026-05-01"
METHODS = {"insert": "POST", "update": "PATCH", "delete": "DELETE"}
NAMED = {
    "esco": uid("esco", ESCO),
    "site": uid("site", ESCO, 0),
    "feeder": uid("feeder", ESCO, 0),
    "meter": uid("meter", ESCO, 0),
    "head": uid("head", ESCO, 0),
    "register": uid("register", ESCO, 0, "SINGLE"),
    "charger": uid("charger", ESCO, 0),
}
"""What a name in api_writes.json such as `{meter}` stands for."""


@dataclass(frozen=True)
class Request:
    """One request; `role` is whose token it needs."""

    method: str
    path: str
    role: str
    body: dict[str, Any] | None = None

    @property
    def curl(self) -> str:
        """As a command. $API is the API's address and $TOKEN a token."""
        parts = ["curl"] if self.method == "GET" else ["curl", "-X", self.method]
        lines = [" ".join([*parts, f'"$API{self.path}"']), '-H "Authorization: Bearer $TOKEN"']
        if self.body is not None:
            lines.append('-H "Content-Type: application/json"')
            lines.append(f"-d {shlex.quote(json.dumps(self.body))}")
        return " \\\n  ".join(lines)


def reading(catalogue: Catalogue, view: View, role: str) -> Request:
    """One GET: of a series the newest rows of one thing since a time, of anything else some columns of some rows."""
    columns = list(catalogue.columns(view))
    key = next((column for column in KEYS if column in columns), None)
    time = next((column for column in TIMES if column in columns), None)
    if key and time:
        thing = THREE_PHASE_METER if "voltage_l1" in columns else KEYS[key]
        query = f"{key}=eq.{thing}&{time}=gte.{SINCE}&order={time}.desc&limit=10"
    else:
        query = f"select={','.join(columns[:4])}&limit=5"
    return Request("GET", f"/{view.name}?{quote(query, safe='=&.,-')}", role)


def writing() -> dict[str, list[Request]]:
    """View -> its writing requests: POST, then PATCH, then DELETE, in the order in which a test can send them."""
    found: dict[str, list[Request]] = {}
    for row in json.loads(WRITES.read_text(encoding="utf-8")):
        path = f"/{row['view']}" + (f"?{_filled(row['where'])}" if row.get("where") else "")
        body = _filled(row["body"]) if "body" in row else None
        found.setdefault(row["view"], []).append(Request(row["method"], path, WRITER, body))
    return found


def writable(catalogue: Catalogue, view: View) -> list[str]:
    """Methods that the API's write role has on a view."""
    rights = readers_of(catalogue, API, view.name)
    return [method for privilege, method in METHODS.items() if WRITER in rights.get(privilege, ())]


def every(catalogue: Catalogue) -> Iterator[Request]:
    """Every example on the page of the API that is made here."""
    for view in catalogue.of("View"):
        if view.schema_ == API:
            yield reading(catalogue, view, READER)
    for requests in writing().values():
        yield from requests


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each) for name, each in value.items()}
    if isinstance(value, str):
        for name, found in NAMED.items():
            value = value.replace(f"{{{name}}}", str(found))
    return value
