"""What a relation is, as far as the way of changing it depends on that."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .capabilities import ServerCapabilities
from .render import render
from .specs import Reference, Spec

LEFTOVER = "pulumi_timescaledb_new_"
"""How the names of indexes begin that are built beside what they will replace or become."""


@dataclass(frozen=True)
class Relation:
    """A relation as it is, or as the declarations say it will be."""

    hypertable: bool = False
    aggregate: bool = False
    columnstore: bool = False
    """Whether it is enabled, on whatever number of chunks."""
    arranged_by: tuple[str, ...] = ()
    """The columns that the columnstore segments and orders by."""
    partitioned: bool = False
    in_use: bool = True
    """Whether it may hold rows that somebody writes and reads: false only for what is new or empty."""
    leftovers: tuple[str, ...] = ()
    """Indexes under names of ours that a change which broke off has left."""

    @property
    def plain(self) -> bool:
        """Whether PostgreSQL's own online forms work on it."""
        return not (self.hypertable or self.aggregate or self.partitioned)


Relations = Mapping[tuple[str, ...], Relation]


def names_of(*specs: Spec | None) -> list[tuple[str, ...]]:
    """The relations that these specs are or belong to."""
    found: dict[tuple[str, ...], None] = {}
    for spec in specs:
        if spec is not None:
            parents = [spec.parent()] if spec.parent() else [r for r in spec.provides() if r.kind == "Relation"]
            found.update((each.identity, None) for each in parents if each is not None)
    return list(found)


def select_sql(names: Iterable[tuple[str, ...]], capabilities: ServerCapabilities) -> str:
    """The query that shows these relations."""
    return render("catalog/relations", names=list(names), server=capabilities, leftover=LEFTOVER)


def from_rows(rows: Iterable[Mapping[str, Any]]) -> Relations:
    """The answer to `select_sql`."""
    return {
        (row["schema"], row["name"]): Relation(
            hypertable=row["hypertable"],
            aggregate=row["aggregate"],
            columnstore=row["arranged_by"] is not None,
            arranged_by=tuple(row["arranged_by"] or ()),
            partitioned=row["partitioned"],
            in_use=row["filled"],
            leftovers=tuple(row["leftovers"] or ()),
        )
        for row in rows
    }


def declared(identity: tuple[str, ...], specs: Container[Reference], *, in_use: bool = True) -> Relation:
    """A relation as declarations say, where nobody was asked."""
    kinds = {
        kind for kind in ("Hypertable", "ContinuousAggregate", "Columnstore") if Reference(kind, identity) in specs
    }
    return Relation(
        hypertable="Hypertable" in kinds,
        aggregate="ContinuousAggregate" in kinds,
        columnstore="Columnstore" in kinds,
        in_use=in_use,
    )
