"""Planning one change, and rebuilding what the server cannot alter together with what depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .blocking import blocking, has_parsed_body, touched_columns
from .kinds import Context, Kind, kind_of
from .kinds.base import shown
from .renames import Renames
from .specs import Reference, Spec
from .specs.function import Function
from .specs.grant import Grant
from .specs.materialized_view import MaterializedView
from .sqltext import mentioned_names
from .statement import BuildBeside, Rebuild, Refused, Statement
from .whole import Whole

if TYPE_CHECKING:
    from .succession.closure import Closure

_HOLD_DATA = frozenset({"Table", "ContinuousAggregate", "Sequence", "Hypertable"})
"""Kinds that are never dropped on the way to something else."""
_MADE_ELSEWHERE = frozenset({"Role", "RoleMembership"})
"""Kinds that another provider may make: never made ahead of their turn."""


@dataclass
class Change:
    """Statements in order, the dependents that are dropped by them, and those that are made again. `closure`: what is
    built beside and takes its place, in several transactions."""

    statements: list[Statement]
    rebuilt: list[tuple[Kind[Any], Spec]] = field(default_factory=list)
    dropped: list[Spec] = field(default_factory=list)
    closure: Closure | None = None

    @property
    def transactional(self) -> bool:
        """Whether all of it can run in one transaction."""
        return all(statement.transactional for statement in self.statements)


def plan_rename(
    kind: Kind[Any], old: Spec, new: Spec | None, context: Context, old_whole: Whole | None, renames: Renames
) -> Change:
    """The plan of one object where objects are renamed first: its own RENAME, then what is still to be done once
    everything has its new name. `old_whole` has the new names already.

    Raises:
        Refused: it is impossible or unsafe.
    """
    statements: list[Statement] = []
    for rename in renames.each:
        after = rename.follow(old)
        if old.reference() == rename.old.reference():
            statements += kind.plan(old, after, context)
        old = after
    change = plan_change(kind, old, new, context, old_whole)
    return replace(change, statements=statements + change.statements)


def plan_change(
    kind: Kind[Any], old: Spec | None, new: Spec | None, context: Context, old_whole: Whole | None = None
) -> Change:
    """The plan of one object. What the server cannot alter is dropped and created with everything declared that depends
    on it; what dependents keep from being altered has them dropped before and created after it. Their new declarations
    are used, whatever the order in which the engine comes to them.

    Raises:
        Refused: it is impossible or unsafe.
    """
    before = old_whole or context.whole or Whole()
    try:
        statements = kind.plan(old, new, context)
    except BuildBeside:
        assert old is not None  # only an alter can ask for it
        assert new is not None
        from .succession.plan import planned  # it stands on this module

        return planned(old, new, context, before)
    except Rebuild as rebuild:
        assert old is not None  # only an alter can ask for it
        assert new is not None
        together = replace(context, together=True)
        own = [*kind.plan(old, None, together), *kind.plan(None, new, together)]
        needing = [before.specs[each] for each in before.needed_by.get(old.reference(), ())]
        return _around(own, new, [old], needing, together, before, f"It must be rebuilt because {rebuild.reason}")
    blocking_it = blocking(old, new, before)
    if not blocking_it:
        return Change(statements)
    assert new is not None
    together = replace(context, together=True)
    own = kind.plan(old, new, together)
    columns = ", ".join(f'"{name}"' for name in sorted(set().union(*touched_columns(old, new))))
    return _around(own, new, [], blocking_it, together, before, f"The server does not let column {columns} change")


def stands_alone(kind: Kind[Any], old: Spec | None, new: Spec | None, context: Context) -> bool:
    """Whether a change can be planned without knowing what depends on the object."""
    if old is None or new is None:
        return True
    try:
        kind.plan(old, new, context)
    except Rebuild:
        return False
    return not any(touched_columns(old, new))


def reads_around(kind: Kind[Any], old: Spec, new: Spec, context: Context) -> bool:
    """Whether a change has to read everything around the object, as far as it can be told before the server is asked
    (what a kind wants to know of relations is not known yet)."""
    if kind.ripples(old, new):
        return True
    if kind.asks_relation:
        return False
    try:
        return not stands_alone(kind, old, new, context)
    except Refused:  # told when it is planned
        return False


def _around(
    own: list[Statement],
    new: Spec,
    gone: list[Spec],
    needing: list[Spec],
    context: Context,
    before: Whole,
    reason: str,
) -> Change:
    """`own` statements between the drops of all that stands in their way and its creation. `gone`: what they drop
    themselves on the way."""
    carried = _standing_on(gone, needing, before)
    for spec in carried:
        if spec.KIND in _HOLD_DATA:
            raise Refused(
                f"{reason}, and {shown(spec)}, which holds data, depends on it.",
                f"Change {shown(spec)} so that it does not depend on it, or declare the new form under another name.",
            )
    change = Change([], dropped=carried)
    for spec in reversed(carried):
        if spec.KIND != "Grant" and not goes_with(spec, [*gone, *carried]):
            change.statements += kind_of(spec.KIND).plan(spec, None, context)
    change.statements += own
    made = _to_make(carried, new, context, before)
    for wanted in made:
        kind, known = kind_of(wanted.KIND), before.specs.get(wanted.reference())
        if known is None or known in carried:
            again = _possible(lost_rights(_filled(wanted), [*gone, *carried]), made, before)
            change.statements += kind.plan(None, again, context)
        else:
            change.statements += _brought_along(kind, known, wanted, context, before)
        change.rebuilt.append((kind, wanted))
    return change


def _standing_on(gone: list[Spec], needing: list[Spec], before: Whole) -> list[Spec]:
    """Of `needing`, and of all that needs those in turn, what cannot outlive the drop of what it needs, each after what
    it needs. Without `gone`, all of `needing` has to go."""
    reached: dict[Reference, Spec] = {}
    waiting = [(spec, gone[0] if gone else None) for spec in needing]
    while waiting:
        spec, needed = waiting.pop()
        reference = spec.reference()
        if reference in reached or (needed is not None and _survives(spec, needed)):
            continue
        reached[reference] = spec
        waiting += [(before.specs[each], spec) for each in before.needed_by[reference]]
    return [before.specs[each] for each in before.creation_order if each in reached] if reached else []


def _to_make(carried: list[Spec], new: Spec, context: Context, before: Whole) -> list[Spec]:
    """What is made after the drops, in order: the dependents as they are declared now, and before them what these need
    and this run has not made or changed yet."""
    whole = context.whole
    if whole is None:
        return carried
    wanted = {spec.reference() for spec in carried if spec.reference() in whole.specs}
    waiting = [reference for reference in wanted if reference.kind != "Grant"]  # of it only what was lost comes back
    while waiting:
        for needed in whole.needs[waiting.pop()]:
            if needed not in wanted and needed != new.reference() and needed.kind not in _MADE_ELSEWHERE:
                known = before.specs.get(needed)
                if known is None or known.comparable() != whole.specs[needed].comparable():
                    wanted.add(needed)
                    waiting.append(needed)
    return [whole.specs[each] for each in whole.creation_order if each in wanted]


def _brought_along(kind: Kind[Any], known: Spec, wanted: Spec, context: Context, before: Whole) -> list[Statement]:
    """A change of something that a dependent's new form needs, ahead of its own turn."""
    way_out = f"Make the change of {shown(wanted)} in an update of its own."
    try:
        statements = kind.plan(known, wanted, context)
    except Rebuild as rebuild:
        raise Refused(f"{shown(wanted)} would have to be rebuilt on the way: {rebuild.reason}.", way_out) from None
    if blocking(known, wanted, before):
        raise Refused(f"{shown(wanted)} changes in a way that its own dependents keep from happening.", way_out)
    return statements


def _possible(spec: Spec, made: list[Spec], before: Whole) -> Spec:
    """A Grant without the rights on what this run has still to make: they are its own turn's."""
    if not isinstance(spec, Grant):
        return spec
    there = {each for known in (*before.specs.values(), *made) for each in (known.reference(), *known.provides())}
    objects = tuple(r for r in spec.objects if not set(spec.model_copy(update={"objects": (r,)}).named()) - there)
    return spec.model_copy(update={"objects": objects})


def _filled(spec: Spec) -> Spec:
    """A materialized view that had to go is not left unreadable."""
    return spec.model_copy(update={"with_data": True}) if isinstance(spec, MaterializedView) else spec


def lost_rights(spec: Spec, dropped: list[Spec]) -> Spec:
    """Of a Grant only the rights that went with what was dropped; anything else as it is."""
    if not isinstance(spec, Grant) or spec.role == "public":  # PUBLIC's is planned from what it has by default
        return spec
    gone = {reference for each in dropped for reference in (each.reference(), *each.provides())}
    lost = tuple(r for r in spec.objects if gone & set(spec.model_copy(update={"objects": (r,)}).references()))
    return spec.model_copy(update={"privileges": (), "defaults": (), "objects": lost})


def _survives(spec: Spec, dropped: Spec) -> bool:
    """Whether an object stays when `dropped` is dropped: everything that only runs through it, not stands on it."""
    if isinstance(spec, Function) and not has_parsed_body(spec):
        types = " ".join(text for text in spec.sql_texts() if text != spec.body)
        return dropped.KIND != "Schema" and dropped.identity()[:2] not in {name[:2] for name in mentioned_names(types)}
    return dropped.KIND == "Function" and spec.KIND in ("Job", "Table", "ContinuousAggregate", "Hypertable")


def goes_with(spec: Spec, dropped: list[Spec]) -> bool:
    """Whether dropping one of `dropped` takes `spec` along (a trigger with its view)."""
    parent = spec.parent()
    return parent is not None and any(parent in each.provides() for each in dropped)
