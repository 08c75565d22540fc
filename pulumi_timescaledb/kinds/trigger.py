"""Triggers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Row
from ..specs.trigger import Trigger
from ..sqltext import ident, literal, qualified
from ..statement import LockLevel, Refused, Statement
from .base import Context, Kind, changed, comment_on, shown, statement

_MODES = {"origin": "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
_MODE_OF = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
_DEFINITION = ("timing", "events", "update_of", "for_each", "when", "old_table", "new_table", "function_schema")
_HYPERTABLES_SWITCH = (2, 28, 3)
"""First TimescaleDB whose hypertables let a trigger be switched (research/reliability.md; 2.23 refuses, checked)."""

_PIECE = re.compile(r'"(?:[^"]|"")*"|E?\'(?:[^\'\\]|\'\'|\\.)*\'|\w+|.', re.DOTALL)


class TriggerKind(Kind[Trigger]):
    """CREATE OR REPLACE TRIGGER reaches the chunks of a hypertable too (checked); it sets the mode back to origin and
    keeps the comment. Constraint triggers are not managed."""

    spec = Trigger
    sources = ("trigger",)
    many = True

    def create(self, new: Trigger, context: Context) -> Iterator[Statement]:
        yield _definition(new, replace=False)
        yield from _mode("origin", new, context)
        yield from comment_on("TRIGGER", _target(new), None, new.comment)

    def alter(self, old: Trigger, new: Trigger, context: Context) -> Iterator[Statement]:
        mode = old.enabled
        if changed(old, new, *_DEFINITION, "function", "arguments"):
            yield _definition(new, replace=True)
            mode = "origin"
        yield from _mode(mode, new, context)
        yield from comment_on("TRIGGER", _target(new), old.comment, new.comment)

    def drop(self, old: Trigger, context: Context) -> Iterator[Statement]:
        yield statement("trigger/drop", LockLevel.ACCESS_EXCLUSIVE, target=_target(old))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Trigger]:
        return {(row["schema"], row["relation"], row["name"]): _trigger(row) for row in catalog.rows("trigger")}


def _target(trigger: Trigger) -> str:
    return f"{ident(trigger.name)} ON {qualified(trigger.schema_, trigger.relation)}"


def _definition(trigger: Trigger, *, replace: bool) -> Statement:
    events = [
        f"UPDATE OF {', '.join(ident(name) for name in trigger.update_of)}"
        if event == "update" and trigger.update_of
        else event.upper()
        for event in trigger.events
    ]
    return statement(
        "trigger/create",
        LockLevel.SHARE_ROW_EXCLUSIVE,
        trigger=trigger,
        events=" OR ".join(events),
        arguments=", ".join(literal(argument) for argument in trigger.arguments),
        replace=replace,
    )


def _mode(old: str, new: Trigger, context: Context) -> Iterator[Statement]:
    if old == new.enabled:
        return
    version = context.capabilities.timescaledb
    on_hypertable = context.whole is not None and context.whole.get("Hypertable", new.schema_, new.relation)
    if on_hypertable and version is not None and version < _HYPERTABLES_SWITCH:
        raise Refused(
            f"{shown(new)} is on a hypertable, and this TimescaleDB does not let its triggers be switched on or off.",
            "Give it a WHEN condition, or take the trigger out of the program.",
        )
    relation = qualified(new.schema_, new.relation)
    action = _MODES[new.enabled]
    yield statement("trigger/enable", LockLevel.SHARE_ROW_EXCLUSIVE, relation=relation, name=new.name, action=action)


def _trigger(row: Row) -> Trigger:
    return Trigger(
        schema_=row["schema"],
        relation=row["relation"],
        name=row["name"],
        timing=row["timing"],
        events=tuple(row["events"]),
        update_of=tuple(row["update_of"] or ()),
        for_each=row["for_each"],
        when=_condition(row["definition"]) if row["conditional"] else None,
        old_table=row["old_table"],
        new_table=row["new_table"],
        function_schema=row["function_schema"],
        function=row["function"],
        arguments=tuple(bytes.fromhex(row["arguments"]).decode().split("\0")[:-1]),
        enabled=_MODE_OF[row["mode"]],
        comment=row["comment"],
    )


def _condition(definition: str) -> str:
    """The text inside WHEN (...): the server shows it only as a part of the whole definition."""
    pieces = [match.group() for match in _PIECE.finditer(definition)]
    start = pieces.index("WHEN") + len(("WHEN", " ", "("))
    depth = 1
    for position in range(start, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[position], 0)
        if depth == 0:
            return "".join(pieces[start:position])
    raise AssertionError(f"unbalanced trigger definition: {definition}")
