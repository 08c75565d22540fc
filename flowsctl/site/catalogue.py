"""The declarations sorted for reading: areas, and what belongs to each table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from flows.tables import communities, junctions, meters, series, shadows
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.foreign_key import ForeignKey
from pulumi_timescaledb.specs.table import Table
from pulumi_timescaledb.whole import Whole

MODULES: tuple[ModuleType, ...] = (communities, meters, shadows, junctions, series)
"""Modules of tables, which are the areas, in reading order."""
API = "api"
OWNER = "tsdbadmin"
"""Owner of what declares no other one."""


@dataclass(frozen=True)
class Area:
    """Tables that are read together."""

    name: str
    title: str
    summary: str
    tables: tuple[Table, ...]


class Catalogue:
    """The whole picture, asked as a reader asks: by area, by table, by role."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole

    def of(self, kind: str) -> list[Any]:
        """Declarations of a kind, in the order they were declared."""
        return self.whole.of_kind(kind)

    def on(self, kind: str, schema: str, relation: str) -> list[Any]:
        """Declarations of a kind that belong to a relation."""
        return [spec for spec in self.of(kind) if (spec.schema_, spec.relation) == (schema, relation)]

    def one(self, kind: str, schema: str, name: str) -> Any:
        """The declaration of that identity, or None."""
        return self.whole.get(kind, schema, name)

    @cached_property
    def areas(self) -> list[Area]:
        """Every table in one area: that of its module, else that of its schema."""
        taken = {id(table) for module in MODULES for table in module.TABLES}
        found = [self._area(module) for module in MODULES]
        others: dict[str, list[Table]] = {}
        for table in self.of("Table"):
            if id(table) not in taken:
                others.setdefault(table.schema_, []).append(table)
        for schema, tables in others.items():
            comment = self.whole.get("Schema", schema)
            found.append(Area(schema, schema.title(), getattr(comment, "comment", "") or "", tuple(tables)))
        return [area for area in found if area.tables]

    def _area(self, module: ModuleType) -> Area:
        name = module.__name__.rpartition(".")[2]
        declared = {id(table) for table in self.of("Table")}
        tables = tuple(table for table in module.TABLES if id(table) in declared)
        return Area(name, name.title(), inspect.cleandoc(module.__doc__ or "").split("\n\n")[0], tables)

    def area_of(self, schema: str, table: str) -> Area | None:
        """The area that a table is in."""
        return next((area for area in self.areas for each in area.tables if each.identity() == (schema, table)), None)

    def keys_to(self, schema: str, table: str) -> list[ForeignKey]:
        """Foreign keys that refer to a table."""
        return [key for key in self.of("ForeignKey") if (key.target_schema, key.target) == (schema, table)]

    def is_key(self, table: Table, column: str) -> str:
        """PK, FK, both or nothing."""
        primary = table.primary_key is not None and column in table.primary_key.columns
        foreign = any(column in key.columns for key in self.on("ForeignKey", *table.identity()))
        return " ".join(mark for mark, holds in (("PK", primary), ("FK", foreign)) if holds)

    def columns(self, view: Any) -> dict[str, str]:
        """Columns of a view with their meaning, in the order in which its query names them (comments are sorted)."""
        place = {name: re.search(rf"\b{re.escape(name)}\b", view.query) for name in view.column_comments}
        order = sorted(place, key=lambda name: found.start() if (found := place[name]) else len(view.query))
        return {name: view.column_comments[name] for name in order}

    def column_types(self, view: Spec) -> dict[str, str]:
        """Types of an API view's columns where they are those of the table of the same name."""
        table = self.one("Table", "flows", view.identity()[1])
        return {column.name: column.type for column in table.columns} if table is not None else {}

    def relations(self, schema: str) -> list[Any]:
        """Tables, views, materialized views and aggregates of a schema."""
        kinds = ("Table", "ContinuousAggregate", "View", "MaterializedView")
        return [spec for kind in kinds for spec in self.of(kind) if spec.schema_ == schema]


def names(columns: Iterable[str]) -> str:
    """Column names for a sentence."""
    return ", ".join(f"`{column}`" for column in columns)
