"""Planning one change, and rebuilding what the server cannot alter together with what depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .kinds import Context, Kind, kind_of
from .kinds.base import shown
from .specs import Reference, Spec
from .specs.grant import Grant
from .statement import Rebuild, Refused, Statement
from .whole import Whole

_HOLD_DATA = frozenset({"Table", "ContinuousAggregate", "Sequence", "Hypertable"})
"""Kinds that are never dropped on the way to something else."""


@dataclass
class Change:
    """Statements in order, the dependents that are dropped by them, and those that are made again."""

    statements: list[Statement]
    rebuilt: list[tuple[Kind[Any], Spec]] = field(default_factory=list)
    dropped: list[Spec] = field(default_factory=list)

    @property
    def transactional(self) -> bool:
        """Whether all of it can run in one transaction."""
        return all(statement.transactional for statement in self.statements)


def plan_change(
    kind: Kind[Any], old: Spec | None, new: Spec | None, context: Context, old_whole: Whole | None = None
) -> Change:
    """The plan of one object. A rebuild drops and creates it with everything declared that depends on it, the new
    declarations of the dependents being used.

    Raises:
        Refused: it is impossible or unsafe.
    """
    try:
        return Change(kind.plan(old, new, context))
    except Rebuild as rebuild:
        assert old is not None  # only an alter can ask for it
        assert new is not None
        return _rebuild(kind, old, new, context, old_whole or context.whole, rebuild.reason)


def _rebuild(kind: Kind[Any], old: Spec, new: Spec, context: Context, before: Whole | None, reason: str) -> Change:
    dependents = before.dependents(old.reference()) if before and old.reference() in before.specs else []
    going = [before.specs[reference] for reference in dependents] if before else []
    for spec in going:
        if spec.KIND in _HOLD_DATA and not _survives(spec, old):
            raise Refused(
                f"It must be rebuilt because {reason}, and {shown(spec)}, which holds data, depends on it.",
                f"Change {shown(spec)} so that it does not depend on it, or declare the new form under another name.",
            )
    statements: list[Statement] = []
    carried = [spec for spec in going if not _survives(spec, old)]
    for spec in reversed(carried):
        if spec.KIND != "Grant" and not _goes_with(spec, [old, *carried]):
            statements += kind_of(spec.KIND).plan(spec, None, context)
    statements += kind.plan(old, None, context)
    statements += kind.plan(None, new, context)
    change = Change(statements, dropped=carried)
    for spec in carried:
        wanted = _wanted(spec.reference(), spec, context)
        if wanted is None:
            continue
        dependent = kind_of(wanted.KIND)
        change.statements += dependent.plan(None, lost_rights(wanted, [old, *carried]), context)
        change.rebuilt.append((dependent, wanted))
    return change


def lost_rights(spec: Spec, dropped: list[Spec]) -> Spec:
    """Of a Grant only the rights that went with what was dropped; anything else as it is."""
    if not isinstance(spec, Grant) or spec.role == "public":  # PUBLIC's is planned from what it has by default
        return spec
    gone = {reference for each in dropped for reference in (each.reference(), *each.provides())}
    lost = tuple(r for r in spec.objects if gone & set(spec.model_copy(update={"objects": (r,)}).references()))
    return spec.model_copy(update={"privileges": (), "defaults": (), "objects": lost})


def _wanted(reference: Reference, spec: Spec, context: Context) -> Spec | None:
    return context.whole.specs.get(reference) if context.whole is not None else spec


def _survives(spec: Spec, rebuilt: Spec) -> bool:
    """Whether an object stays when `rebuilt` is dropped: everything that only runs through it, not stands on it."""
    return rebuilt.KIND == "Function" and spec.KIND in ("Job", "Table", "ContinuousAggregate", "Hypertable")


def _goes_with(spec: Spec, dropped: list[Spec]) -> bool:
    """Whether dropping one of `dropped` takes `spec` along (a trigger with its view)."""
    parent = spec.parent()
    return parent is not None and any(parent in each.provides() for each in dropped)
