"""The statements of a succession, in order: build, fill, swap, drop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..hazards import Hazard, data_loss
from ..kinds import Context, Kind, kind_of
from ..kinds.base import shown, statement
from ..rebuild import Change, goes_with, lost_rights
from ..specs import Spec
from ..specs.columnstore import Columnstore
from ..specs.continuous_aggregate import ContinuousAggregate
from ..specs.index import Index
from ..specs.materialized_view import MaterializedView
from ..sqltext import qualified
from ..statement import LockLevel, Refused, Statement
from ..whole import Whole
from .closure import Closure, Member, named, renamed


def planned(old: Spec, new: Spec, context: Context, before: Whole | None) -> Change:
    """The whole succession as far as the declarations tell. What it would lose, how many windows there are to fill, and
    whether the server can do it in place after all is asked later (`settle`).

    Raises:
        Refused: the aggregate changes its name as well.
    """
    assert isinstance(old, ContinuousAggregate)
    assert isinstance(new, ContinuousAggregate)
    if old.identity() != new.identity():
        raise Refused(
            f"{shown(new)} changes its name and its query at once.",
            "Rename it in one run and change the query in the next.",
        )
    if before is None or old.reference() not in before.specs:
        before = Whole([*(before.specs.values() if before else ()), old])
    return rebuilt(Closure(old, new, before, context))


def rebuilt(closure: Closure, told: Sequence[str] = ()) -> Change:
    """Everything in order. `told`: in how many windows each is filled, where the server was asked."""
    found = [each for number in range(len(closure.built)) for each in build(closure, number)]
    for number, (member, _) in enumerate(closure.built):
        filling = f"it is filled window by window, {told[number]}" if told else "it is filled window by window"
        found.append(replace(refresh(member, "NULL", "NULL"), hazards=(Hazard("long_scan", filling),)))
    swapped = swap(closure)
    gone = [*closure.standing, *(member.old for member in closure.members if member.new is None)]
    return Change([*found, *swapped.statements, *drops(closure)], swapped.rebuilt, gone, closure)


def losses(closure: Closure, told: dict[str, str] | None = None) -> tuple[Hazard, ...]:
    """What is lost for good, by aggregate; `told`: what the server says of those that lose something."""
    return tuple(
        data_loss(
            f"{told[key]} of {key} whose raw data is gone cannot be built again and are lost"
            if told is not None
            else f"buckets of {key} whose raw data is gone cannot be built again and are lost",
            allow=f"rebuild:{key}",
        )
        for member, _ in closure.built
        if told is None or member.old.import_id() in told
        for key in (member.old.import_id(),)
    )


def build(closure: Closure, number: int) -> list[Statement]:
    """The new aggregate under its stand-in name, empty, with its columnstore settings and indexes. Its query names
    lower aggregates by their final names, which therefore the stand-ins bear while it is read."""
    member, new = closure.built[number]
    lower = [each for each, _ in closure.built[:number] if each.old.identity() in new.mentions()]
    found = [step for each in lower for step in _exchange(each, each.retired, each.stand_in)]
    found += kind_of(new.KIND).plan(None, renamed(new, member.stand_in), closure.context)
    found += [step for each in reversed(lower) for step in _exchange_back(each)]
    if number + 1 < len(closure.built):  # the owners of upper ones read it
        found.append(_rights(member, member.old.name, member.stand_in))
    context = closure.context_with_stand_ins()
    for _, wanted in closure.satellites(member.old):
        if isinstance(wanted, Columnstore):
            found += kind_of("Columnstore").plan(None, _early(wanted, member), context)
        elif isinstance(wanted, Index):
            for step in kind_of("Index").plan(None, _early(wanted, member), context):
                found.append(replace(step, hazards=()))  # of no rows
    if number == 0:
        found[0] = replace(found[0], hazards=(*found[0].hazards, *losses(closure)))
    return found


def _early(satellite: Any, member: Member) -> Any:
    """A satellite as it is before the swap: on the stand-in, without its policy, under a name of its own."""
    if isinstance(satellite, Index):
        suffix = member.stand_in[-12:]
        return satellite.model_copy(
            update={"relation": member.stand_in, "name": named(satellite.name, suffix), "previously": None}
        )
    return satellite.model_copy(update={"relation": member.stand_in, "after": None})


def _exchange(member: Member, aside: str, incoming: str) -> list[Statement]:
    schema, name = member.old.schema_, member.old.name
    return [_rename(schema, name, aside), _rename(schema, incoming, name)]


def _exchange_back(member: Member) -> list[Statement]:
    schema, name = member.old.schema_, member.old.name
    return [_rename(schema, name, member.stand_in), _rename(schema, member.retired, name)]


def _rights(member: Member, source: str, target: str) -> Statement:
    schema = member.old.schema_
    return statement(
        "continuous_aggregate/copy_rights", source=qualified(schema, source), target=qualified(schema, target)
    )


def _rename(schema: str, old: str, new: str) -> Statement:
    return statement("continuous_aggregate/rename", LockLevel.ACCESS_EXCLUSIVE, target=qualified(schema, old), name=new)


def refresh(member: Member, start: str, stop: str) -> Statement:
    """Fills the stand-in between two times, given as SQL. Readers and writers go on."""
    sql = statement(
        "continuous_aggregate/refresh", target=qualified(member.old.schema_, member.stand_in), start=start, stop=stop
    ).sql
    return Statement(sql, LockLevel.NONE, transactional=False)


def convert(chunk: str) -> Statement:
    """Puts a filled chunk of a stand-in into the columnstore, as the old one was."""
    sql = statement("continuous_aggregate/convert", chunk=chunk).sql
    return Statement(sql, LockLevel.NONE, transactional=False)


def swap(closure: Closure) -> Change:
    """The new aggregates take the places of the old ones, in one transaction, with everything that stands on them."""
    change = Change([])
    context = closure.context_with_stand_ins()
    standing = closure.standing
    for spec in reversed(standing):
        if spec.KIND != "Grant" and not goes_with(spec, standing):
            change.statements += kind_of(spec.KIND).plan(spec, None, context)
    for member in reversed(closure.members):
        change.statements += _retire(closure, member, context)
    for member, new in closure.built:
        change.statements += _take_over(closure, member, new, context, change)
    for spec in standing:
        wanted = closure.declared(spec.reference())
        if wanted is None:
            continue
        if not closure.may_stand_again(wanted):
            wanted = spec
        dependent = kind_of(wanted.KIND)
        again = lost_rights(wanted, standing)
        if isinstance(again, MaterializedView):  # its readers are not left without rows
            again = again.model_copy(update={"with_data": True})
        change.statements += dependent.plan(None, again, context)
        change.rebuilt.append((dependent, wanted))
    return change


def _retire(closure: Closure, member: Member, context: Context) -> Iterator[Statement]:
    """The old one gives up its policies, which would go on working on it, its indexes, whose names are wanted, and its
    name. Nothing of it is lost by that: what is lost, if it is no longer declared, is said here."""
    for spec, _ in reversed(closure.satellites(member.old)):
        if isinstance(spec, Columnstore):
            yield from kind_of("Columnstore").plan(spec, spec.model_copy(update={"after": None}), context)
        else:
            yield from kind_of(spec.KIND).plan(spec, None, context)
    away = _rename(member.old.schema_, member.old.name, member.retired)
    if member.new is None:
        dropping = kind_of(member.old.KIND).plan(member.old, None, context)
        away = replace(away, hazards=tuple(hazard for each in dropping for hazard in each.hazards))
    yield away


def _take_over(
    closure: Closure, member: Member, new: ContinuousAggregate, context: Context, change: Change
) -> Iterator[Statement]:
    yield _rename(member.old.schema_, member.stand_in, new.name)
    yield _rights(member, member.retired, new.name)
    if member.old.reference() != closure.root.reference():
        change.rebuilt.append((kind_of(new.KIND), new))
    for spec, wanted in closure.satellites(member.old):
        if wanted is not None:
            yield from _satellite(spec, wanted, member, context)
            change.rebuilt.append((kind_of(wanted.KIND), wanted))


def _satellite(spec: Spec, wanted: Any, member: Member, context: Context) -> Iterator[Statement]:
    """A policy again, a columnstore's policy, an index under its own name. A retention that was there before is no new
    loss: the hazards are those of the change."""
    kind: Kind[Any] = kind_of(wanted.KIND)
    if isinstance(wanted, (Index, Columnstore)):
        early = _early(wanted, member).model_copy(update={"relation": wanted.relation})
        yield from kind.plan(early, wanted, context)
    else:
        hazards = [each.hazards for each in kind.plan(spec, wanted, context)]
        known = {hazard for each in hazards for hazard in each}
        for step in kind.plan(None, wanted, context):
            kept = tuple(each for each in step.hazards if each.code != "data_loss" or each in known)
            yield replace(step, hazards=kept)


def drops(closure: Closure) -> list[Statement]:
    """The old ones go, the uppermost first."""
    return drop_all([(member.old.schema_, member.retired) for member in reversed(closure.members)])


def drop_all(names: Sequence[tuple[str, str]]) -> list[Statement]:
    """Drops of aggregates that are no longer, or not yet, in use."""
    return [
        statement("continuous_aggregate/drop", LockLevel.ACCESS_EXCLUSIVE, target=qualified(*name)) for name in names
    ]
