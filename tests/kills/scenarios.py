"""What is killed: an up, an update and a destroy of Flows, and of a small plant on either kind of server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from flows import declarations
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.specs import Reference, Spec, spec_type
from pulumi_timescaledb.statement import Refused
from pulumi_timescaledb.whole import Whole
from tests.provider import native
from tests.stack import two_escos

from . import plant
from .servers import Embedded, KillableServer, Native


@dataclass(frozen=True)
class Scenario:
    """`before` is there when the run begins (nothing, where it is None), `after` when it is over (nothing: destroy)."""

    name: str
    make: Callable[[Path], KillableServer]
    before: Whole | None
    after: Whole | None
    load: Callable[[psycopg.Connection[Any]], None] = field(default=lambda connection: None)
    """Rows that must survive."""


def flows() -> list[Spec]:
    """The Flows database."""
    return list(declarations())


def _changed(specs: Iterable[Spec], changes: dict[str, dict[str, Any]]) -> list[Spec]:
    """`specs` with the fields named under "Kind id" set."""
    left = dict(changes)
    found = []
    for spec in specs:
        change = left.pop(f"{spec.KIND} {spec.import_id()}", None)
        found.append(type(spec).from_wire({**spec.to_wire(), **change}) if change else spec)
    assert not left, f"not in the model any more: {list(left)}"
    return found


def _embedded(folder: Path) -> Embedded:
    made = Embedded(folder)
    made.start()
    with psycopg.connect(made.dsn(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
    return made


def all_scenarios() -> list[Scenario]:
    """Those that can run here."""
    model = flows()
    swap = can_swap()

    def plants(is_native: bool) -> tuple[list[Spec], list[Spec]]:
        return plant.first(is_native), plant.later(is_native, swap)

    found = list(_three("flows", _embedded, model, flows_later(model), two_escos.load))
    found += _three("plant", _embedded, *plants(False), plant.load)
    if native.has_timescaledb():
        found += _three(
            "native", Native.make, plant.first(native=True), plant.later(native=True, swap=swap), plant.load
        )
    return found


def can_swap() -> bool:
    """Whether an aggregate's query can change: then it is built anew beside the old one and swapped in."""
    old, new = (Whole(plant.later(native=False, swap=swap)) for swap in (False, True))
    daily = Reference("ContinuousAggregate", ("plant", "daily"))
    try:
        kind_of(daily.kind).plan(old.specs[daily], new.specs[daily], Context())
    except Refused:
        return False
    except Exception:  # in which way it asks for more than statements is no business of this harness
        return True
    return True


def _three(
    name: str,
    make: Callable[[Path], KillableServer],
    first: list[Spec],
    later: list[Spec],
    load: Callable[[psycopg.Connection[Any]], None],
) -> Iterator[Scenario]:
    yield Scenario(f"{name}-up", make, None, Whole(first))
    yield Scenario(f"{name}-update", make, Whole(first), Whole(later), load)
    yield Scenario(f"{name}-destroy", make, Whole(first), None, load)


def flows_later(model: list[Spec]) -> list[Spec]:
    """Flows after a change of many kinds: new and gone indexes, columns, labels, policies, views, functions, rights."""
    gone = {"Index flows.idx_meter_registry_esco", "View flows.meters_clock_drift"}
    table = next(spec for spec in model if f"{spec.KIND} {spec.import_id()}" == "Table flows.circuits").to_wire()
    specs = _changed(
        [spec for spec in model if f"{spec.KIND} {spec.import_id()}" not in gone],
        {
            "Table flows.circuits": {
                "comment": "Changed by the kill harness",
                "columns": [*table["columns"], {"name": "fuse", "type": "integer", "default": "32"}],
            },
            "RetentionPolicy flows.register_import": {"dropAfter": "3 years"},
            "RefreshPolicy flows.circuit_interval_daily": {"scheduleInterval": "6 hours"},
            "ContinuousAggregate flows.circuit_interval_daily": {"comment": "Changed by the kill harness"},
        },
    )
    specs = [_without(spec, "meters_clock_drift") for spec in specs]
    return [
        *specs,
        _spec("Index", schema="flows", relation="meter_registry", name="kill_by_esco", keys=[{"column": "esco"}]),
        _spec("Index", schema="flows", relation="register_import", name="kill_by_read", keys=[{"column": "read"}]),
        _spec("View", schema="flows", name="kill_view", query="SELECT id, fuse FROM flows.circuits"),
        _spec("Enum", schema="flows", name="kill_kind", labels=["one", "two"]),
        _spec("ServerSetting", name="work_mem", value="9MB"),
    ]


def _spec(kind: str, **wire: Any) -> Spec:
    return spec_type(kind).from_wire(wire)


def _without(spec: Spec, name: str) -> Spec:
    """A Grant without its rights on an object that is gone."""
    if spec.KIND != "Grant":
        return spec
    kept = tuple(rights for rights in spec.objects if rights.name != name)  # type: ignore[attr-defined]
    return spec.model_copy(update={"objects": kept})
