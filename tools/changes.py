"""`make docs`: docs/changes.md, what a change of each field does, found out by planning the tests' cases.

Every case in tests/provider/kinds is also carried out on a real server, which proves what this table says of it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pulumi_timescaledb.adapter.wire import changed_paths
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.rebuild import plan_change
from pulumi_timescaledb.specs import Part, Spec, kind_names, spec_type
from pulumi_timescaledb.statement import BuildBeside, LockLevel, Rebuild, Refused, Statement
from tests.provider import kinds as cases
from tests.provider.lifecycle import Alter, LifeCycle

TARGET = Path(__file__).parents[1] / "docs" / "changes.md"
HEAD = """\
# What a change does

Written by `make docs` from the code: each row is a case of `tests/provider/kinds`, planned as an update plans it and
carried out on a real server by the tests. Do not edit.

- **in place**: the statements alter the object; nothing else is touched.
- **rebuild**: drop and create in one transaction, with everything declared that stands on it, its rights and comments.
- **built beside and swapped**: the new one is built and filled beside the old one, then takes its place, with all that
  stands on it, in one transaction; readers and writers go on ([how](provider.md)).
- **refused**: nothing runs; the sentence is the reason that preview gives, and it goes on with the way out.
- **another object**: the field is part of the identity; the old object is dropped, the new one created.

A data loss is refused as well, unless there is nothing to lose, that very loss is allowed, or the database is
disposable. Names in the sentences are those of the cases. The lock is the strongest that a statement takes; "none"
takes no table lock. Plans are those for a current server (PostgreSQL 17, TimescaleDB Community).
"""
_LOCKS = [str(level) for level in LockLevel]


@dataclass(frozen=True, order=True)
class Row:
    """One line of a kind's table."""

    field: str
    change: str
    outcome: str
    lock: str
    hazards: str


def lives() -> dict[str, list[LifeCycle]]:
    """The cases by kind."""
    found: dict[str, list[LifeCycle]] = defaultdict(list)
    for module in sorted(pkgutil.iter_modules(cases.__path__), key=lambda each: each.name):
        for life in importlib.import_module(f"{cases.__name__}.{module.name}").LIVES:
            found[life.spec.KIND].append(life)
    return found


def rows(kind: str, found: list[LifeCycle]) -> list[Row]:
    """Every row of a kind, without repeats."""
    made = [row for life in found for alter in life.alters for row in _altered(life.spec, alter)]
    made += _identity(kind, [life.spec for life in found])
    made += _steering(found[0].spec, {row.field for row in made})
    order = list(spec_type(kind).model_fields)
    by_alias = {_alias(spec_type(kind), name): order.index(name) for name in order}
    return sorted(dict.fromkeys(made), key=lambda row: (by_alias[re.split(r"[.\[]", row.field)[0]], row))


def _altered(old: Spec, alter: Alter) -> Iterator[Row]:
    new = type(old).from_wire(old.model_copy(update=alter.change).to_wire())
    outcome, lock, hazards = _outcome(old, new)
    if alter.refused and not outcome.startswith("refused"):  # by what the case finds on its server
        outcome, lock, hazards = f"refused: {alter.refused}", "", ""
    for field in _fields(old, new):
        yield Row(field, alter.name, outcome, lock, hazards)


def _fields(old: Spec, new: Spec) -> list[str]:
    """Property paths that differ, items of a list as []."""
    paths = (re.sub(r"\[(\d+|\".*?\")\]", "[]", path) for path, _ in changed_paths(old.to_wire(), new.to_wire()))
    return list(dict.fromkeys(paths))


def _outcome(old: Spec, new: Spec) -> tuple[str, str, str]:
    kind, context = kind_of(old.KIND), Context()
    try:
        statements, word = kind.plan(old, new, context), "in place"
    except BuildBeside as beside:
        statements, word = plan_change(kind, old, new, context).statements, f"built beside and swapped: {beside.reason}"
    except Rebuild as rebuild:
        statements = [*kind.plan(old, None, context), *kind.plan(None, new, context)]
        word = f"rebuild: {rebuild.reason}"
    except Refused as refusal:
        return f"refused: {refusal.reason}", "", ""
    return word, _lock(statements), _hazards(statements)


def _lock(statements: list[Statement]) -> str:
    return max((str(each.lock) for each in statements), key=_LOCKS.index, default="") or "none"


def _hazards(statements: list[Statement]) -> str:
    return "; ".join(dict.fromkeys(str(hazard) for each in statements for hazard in each.hazards))


def _identity(kind: str, specs: list[Spec]) -> Iterator[Row]:
    """Fields whose change makes another object, or with `previously` another name."""
    for name, field in spec_type(kind).model_fields.items():
        for old in specs:
            value = getattr(old, name)
            others = [each for each in get_args(field.annotation) if isinstance(each, str) and each != value]
            other = others[0] if others else "other"
            new = old.model_copy(update={name: other}) if isinstance(value, str) else old
            if new.identity() == old.identity():
                continue
            alias = _alias(type(old), name)
            if "previously" in type(old).model_fields and new.identity()[:-1] == old.identity()[:-1]:
                named = new.model_copy(update={"previously": old.identity()[-1]})
                outcome, lock, hazards = _outcome(old, named)
                yield Row(alias, "with `previously`", outcome, lock, hazards)
                yield Row("previously", f"with another `{alias}`", outcome, lock, hazards)
            yield Row(alias, "another value", "another object", "", "")
            break


def _steering(spec: Spec, shown: set[str]) -> Iterator[Row]:
    """Fields that only steer a change and that no case changes."""
    tops = {re.split(r"[.\[]", field)[0] for field in shown}
    for name in type(spec).model_fields:
        alias = _alias(type(spec), name)
        if alias not in tops and name in spec.VOLATILE:
            yield Row(alias, "another value", "nothing to do: it steers other changes", "", "")


def _alias(part: type[Part], name: str) -> str:
    return part.model_fields[name].alias or name


def document() -> str:
    """The whole page."""
    found = lives()
    return HEAD + "".join(_section(kind, rows(kind, found[kind])) for kind in kind_names())


def _section(kind: str, made: list[Row]) -> str:
    lines = [f"\n## {kind}\n", "| field | change | outcome | lock | hazards |", "|---|---|---|---|---|"]
    for row in made:
        cells = (f"`{row.field}`", row.change, row.outcome, row.lock, row.hazards)
        lines.append(f"| {' | '.join(_cell(text) for text in cells)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    print(f"{TARGET.relative_to(Path.cwd()) if TARGET.is_relative_to(Path.cwd()) else TARGET} written", file=sys.stderr)
