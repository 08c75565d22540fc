"""Rewrite rules of tables and views: nobody declares them, so they are found, and go unless they are named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..hazards import Hazard
from ..statement import LockLevel, Statement
from .base import statement

GONE = Hazard("irreversible", "nobody keeps the text of a rewrite rule that is dropped")


def drop_rewrite_rules(target: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Statement]:
    """DROP RULE of those that are there and not named."""
    for name in old:
        if name not in new:
            sql = statement("common/drop_rule", target=target, name=name).sql
            yield Statement(sql, LockLevel.ACCESS_EXCLUSIVE, (GONE,))
