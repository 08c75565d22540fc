"""Enumerated types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard
from ..specs.enum import Enum
from ..sqltext import qualified
from ..statement import Refused, Statement
from .base import Context, Kind, comment_on, owner_of, rename, statement, without_public

_WAY_OUT = "Declare a new enum, move the columns to it with ALTER COLUMN TYPE, then drop this one."


class EnumKind(Kind[Enum]):
    """CREATE TYPE ... AS ENUM, ALTER TYPE ... ADD VALUE. A label that was added can be used only after its transaction
    has been committed (PostgreSQL documentation, ALTER TYPE)."""

    spec = Enum
    sources = ("enum",)

    def create(self, new: Enum, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield statement("enum/create", target=target, labels=new.labels)
        yield from without_public("TYPE", target, (new.schema_, "type", new.name), context)
        yield from owner_of("TYPE", target, None, new.owner)
        yield from comment_on("TYPE", target, None, new.comment)

    def alter(self, old: Enum, new: Enum, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield from rename("TYPE", qualified(old.schema_, old.name), old.name, new.name)
        yield from _added_labels(target, old, new)
        yield from owner_of("TYPE", target, old.owner, new.owner)
        yield from comment_on("TYPE", target, old.comment, new.comment)

    def drop(self, old: Enum, context: Context) -> Iterator[Statement]:
        yield statement("enum/drop", target=qualified(old.schema_, old.name))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Enum]:
        return {
            (row["schema"], row["name"]): Enum(
                schema_=row["schema"],
                name=row["name"],
                labels=tuple(row["labels"]),
                owner=row["owner"],
                comment=row["comment"],
            )
            for row in catalog.rows("enum")
        }


def _added_labels(target: str, old: Enum, new: Enum) -> Iterator[Statement]:
    removed = [label for label in old.labels if label not in new.labels]
    if removed:
        names = ", ".join(f'"{label}"' for label in removed)
        raise Refused(f"PostgreSQL cannot remove a label from an enum: {names}.", _WAY_OUT)
    if [label for label in new.labels if label in old.labels] != list(old.labels):
        raise Refused("PostgreSQL cannot change the order of an enum's labels.", _WAY_OUT)
    present = set(old.labels)
    permanent = Hazard("irreversible", "a label cannot be removed again")
    for position, label in enumerate(new.labels):
        if label in present:
            continue
        where, neighbour = ("AFTER", new.labels[position - 1]) if position else ("BEFORE", old.labels[0])
        sql = statement("enum/add_value", target=target, label=label, where=where, neighbour=neighbour).sql
        yield Statement(sql, hazards=(permanent,))
        present.add(label)
