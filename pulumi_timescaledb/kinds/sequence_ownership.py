"""Which column a sequence belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..specs.sequence_ownership import SequenceOwnership
from ..sqltext import ident, qualified
from ..statement import LockLevel, Statement
from .base import Context, Kind, statement


class SequenceOwnershipKind(Kind[SequenceOwnership]):
    """ALTER SEQUENCE ... OWNED BY."""

    spec = SequenceOwnership
    sources = ("sequence_ownership",)

    def create(self, new: SequenceOwnership, context: Context) -> Iterator[Statement]:
        yield _owned_by(new, f"{qualified(new.schema_, new.table)}.{ident(new.column)}")

    def alter(self, old: SequenceOwnership, new: SequenceOwnership, context: Context) -> Iterator[Statement]:
        return self.create(new, context)

    def drop(self, old: SequenceOwnership, context: Context) -> Iterator[Statement]:
        yield _owned_by(old, "NONE")

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], SequenceOwnership]:
        found = (SequenceOwnership(**row) for row in catalog.rows("sequence_ownership"))
        return {ownership.identity(): ownership for ownership in found}


def _owned_by(ownership: SequenceOwnership, column: str) -> Statement:
    target = qualified(ownership.schema_, ownership.sequence)
    return statement("sequence_ownership/set", LockLevel.SHARE_ROW_EXCLUSIVE, target=target, column=column)
