"""Which column a sequence belongs to."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .base import Name, Named, Reference, Spec, relation


class SequenceOwnership(Spec):
    """ALTER SEQUENCE ... OWNED BY: the sequence goes with the column, as that of a serial column does.

    A resource of its own, because the two need each other: the column's default calls the sequence, and the sequence
    belongs to the column. The server wants both in one schema, with one owner. Identity columns bring theirs.
    """

    KIND: ClassVar[str] = "SequenceOwnership"
    NAMES: ClassVar[tuple[Named, ...]] = (
        Named("Relation", ("schema_", "sequence")),
        Named("Relation", ("schema_", "table")),
    )

    schema_: Name = Field(description="Schema of the sequence and of the table.")
    sequence: Name = Field(description="Sequence.")
    table: Name = Field(description="Table.")
    column: Name = Field(description="Column of the table.")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.sequence)

    def parent(self) -> Reference | None:
        return relation(self.schema_, self.sequence)
