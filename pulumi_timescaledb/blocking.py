"""What the server keeps from being changed: a column that a view, a policy, a trigger or a function of parsed SQL uses
cannot be dropped or get another type (PostgreSQL 17: SQLSTATE 2BP01 and 0A000), however safe the change itself is.

Which columns a text uses only the server knows for certain. A text that has the column's name, or a star, counts: what
is made again without need costs little, what is missed stops the change.
"""

from __future__ import annotations

import re

from .specs import Spec
from .specs.foreign_key import ForeignKey
from .specs.function import Function
from .specs.table import Table
from .specs.trigger import Trigger
from .sqltext import mentioned_names, tokens
from .whole import Whole

_READ_WHEN_MADE = ("View", "MaterializedView", "ContinuousAggregate", "RlsPolicy", "Trigger")
_PARSED_BODY = re.compile(r"\s*(BEGIN\s+ATOMIC|RETURN)\b", re.IGNORECASE)
_BEFORE_A_STAR = frozenset({"select", "distinct", "all", ",", "."})


def touched_columns(old: Spec | None, new: Spec | None) -> tuple[set[str], set[str]]:
    """Columns that a change of a table drops, and those that get another type, by their old names."""
    if not isinstance(old, Table) or not isinstance(new, Table):
        return set(), set()
    now = {column.previously: column for column in new.columns if column.previously and not old.column(column.name)}
    now |= {column.name: column for column in new.columns if old.column(column.name)}
    gone = {column.name for column in old.columns if column.name not in now}
    retyped = {
        column.name
        for column in old.columns
        if (after := now.get(column.name)) and (column.type, column.collation) != (after.type, after.collation)
    }
    return gone, retyped


def blocking(old: Spec | None, new: Spec | None, before: Whole) -> list[Spec]:
    """Declared objects that the server would name as the reason why the table cannot change so."""
    gone, retyped = touched_columns(old, new)
    if old is None or not gone | retyped or old.reference() not in before.specs:
        return []
    needing = (before.specs[reference] for reference in before.needed_by[old.reference()])
    return [spec for spec in needing if _blocks(spec, old, gone, gone | retyped)]


def _blocks(spec: Spec, table: Spec, gone: set[str], touched: set[str]) -> bool:
    if isinstance(spec, ForeignKey):
        return (spec.target_schema, spec.target) == table.identity() and bool(gone & set(spec.target_columns))
    if isinstance(spec, Trigger) and touched & set(spec.update_of):
        return True
    if isinstance(spec, Function):
        return has_parsed_body(spec) and uses(spec.body, touched)
    return spec.KIND in _READ_WHEN_MADE and any(uses(text, touched) for text in spec.sql_texts())


def has_parsed_body(function: Function) -> bool:
    """Whether the server parses the body when the function is made; other bodies are text until they run."""
    return function.language == "sql" and _PARSED_BODY.match(function.body) is not None


def uses(text: str, columns: set[str]) -> bool:
    """Whether an SQL text can use one of the columns: it has its name, or all columns by a star."""
    if any(columns & set(name) for name in mentioned_names(text)):
        return True
    before = ""
    for kind, token in tokens(text):
        if token == "*" and before in _BEFORE_A_STAR:
            return True
        if kind != "comment" and not token.isspace():
            before = token.lower()
    return False
