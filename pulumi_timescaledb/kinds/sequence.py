"""Sequences of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Row
from ..hazards import data_loss
from ..specs.sequence import Sequence
from ..sqltext import qualified
from ..statement import LockLevel, Statement
from .base import Context, Kind, comment_on, owner_of, rename, statement

_BITS = {"smallint": 15, "integer": 31, "bigint": 63}


class SequenceKind(Kind[Sequence]):
    """CREATE / ALTER / DROP SEQUENCE. The position counts as data: numbers would be given out a second time."""

    spec = Sequence
    sources = ("sequence",)

    def create(self, new: Sequence, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield statement("sequence/create", target=target, options=list(_options(new).values()))
        yield from owner_of("SEQUENCE", target, None, new.owner)
        yield from comment_on("SEQUENCE", target, None, new.comment)

    def alter(self, old: Sequence, new: Sequence, context: Context) -> Iterator[Statement]:
        target = qualified(new.schema_, new.name)
        yield from rename("SEQUENCE", qualified(old.schema_, old.name), old.name, new.name, LockLevel.ACCESS_EXCLUSIVE)
        before = _options(old)
        options = [text for name, text in _options(new).items() if before[name] != text]
        if options:
            yield statement("sequence/alter", LockLevel.SHARE_ROW_EXCLUSIVE, target=target, options=options)
        if not (context.whole and context.whole.get("SequenceOwnership", new.schema_, new.name)):
            yield from owner_of("SEQUENCE", target, old.owner, new.owner)  # else it follows its table's
        yield from comment_on("SEQUENCE", target, old.comment, new.comment)

    def drop(self, old: Sequence, context: Context) -> Iterator[Statement]:
        target = qualified(old.schema_, old.name)
        loss = data_loss(
            f"the position of {old.import_id()} is lost: a new sequence gives its numbers out again",
            allow=f"drop:{old.import_id()}",
            probe=f"SELECT is_called FROM {target}",
        )
        yield Statement(statement("sequence/drop", target=target).sql, LockLevel.ACCESS_EXCLUSIVE, (loss,))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Sequence]:
        return {(row["schema"], row["name"]): _sequence(row) for row in catalog.rows("sequence")}


def _range(type_: str, increment: int) -> tuple[int, int]:
    """The server's default bounds (PostgreSQL documentation, CREATE SEQUENCE)."""
    top: int = 2 ** _BITS[type_]
    return (1, top - 1) if increment > 0 else (-top, -1)


def _first(increment: int, minimum: int, maximum: int) -> int:
    return minimum if increment > 0 else maximum


def _options(sequence: Sequence) -> dict[str, str]:
    """Every option with its value spelled out: ALTER SEQUENCE would keep what is not said instead of going back to the
    default."""
    least, greatest = _range(sequence.type, sequence.increment)
    minimum = least if sequence.minimum is None else sequence.minimum
    maximum = greatest if sequence.maximum is None else sequence.maximum
    start = _first(sequence.increment, minimum, maximum) if sequence.start is None else sequence.start
    return {
        "type": f"AS {sequence.type}",
        "increment": f"INCREMENT BY {sequence.increment}",
        "minimum": f"MINVALUE {minimum}",
        "maximum": f"MAXVALUE {maximum}",
        "start": f"START WITH {start}",
        "cache": f"CACHE {sequence.cache}",
        "cycle": "CYCLE" if sequence.cycle else "NO CYCLE",
    }


def _sequence(row: Row) -> Sequence:
    """A sequence with the options left out that are the server's defaults."""
    least, greatest = _range(row["type"], row["increment"])
    first = _first(row["increment"], row["minimum"], row["maximum"])
    return Sequence(
        schema_=row["schema"],
        name=row["name"],
        type=row["type"],
        start=None if row["start"] == first else row["start"],
        increment=row["increment"],
        minimum=None if row["minimum"] == least else row["minimum"],
        maximum=None if row["maximum"] == greatest else row["maximum"],
        cache=row["cache"],
        cycle=row["cycle"],
        owner=row["owner"],
        comment=row["comment"],
    )
