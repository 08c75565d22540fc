"""Everything an update would do, in the order it would be done: a pure function of two pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from .capabilities import ServerCapabilities
from .kinds import Context, kind_of
from .kinds.base import shown
from .rebuild import Change, lost_rights, plan_change
from .relations import Relation, Relations, declared, names_of
from .renames import Renames
from .sizes import Size
from .specs import Reference, Spec
from .specs.grant import Grant
from .statement import Refused, Statement
from .whole import Whole

Verb = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Step:
    """What happens to one object. `spec` is what it becomes; of a delete, what it was. `before`: what stands now."""

    verb: Verb
    spec: Spec
    statements: tuple[Statement, ...]
    before: Spec | None = None
    remade: tuple[Spec, ...] = ()
    """Dependents that its statements drop and make again."""
    size: Size | None = None
    """How much is in the relation that it touches, where that is known and matters."""

    @property
    def subject(self) -> str:
        """The object, for messages."""
        return shown(self.spec)

    @property
    def allow(self) -> frozenset[str]:
        """Losses that the declarations themselves permit."""
        return frozenset((*self.spec.allow, *(self.before.allow if self.before is not None else ())))


@dataclass(frozen=True)
class Refusal:
    """A change that cannot be made, with the way out."""

    subject: str
    reason: str
    foreign: bool = False
    """It is there and nobody's: a program may adopt it by `import_`, which only the engine's state tells."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}" if self.subject else self.reason


@dataclass(frozen=True)
class Standing:
    """What stands before the update."""

    applied: Whole = field(default_factory=Whole)
    """This stack's objects, in the program's words where the server still shows them as they were applied."""
    adopted: Mapping[Reference, Spec] = field(default_factory=dict)
    """Declared objects that are there, are not ours yet and are simply taken over (an extension, rights)."""
    refusals: tuple[Refusal, ...] = ()
    """Declared objects that are there and cannot be taken."""
    drifted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Objects that are not as they were applied, by "Kind id", with the properties that differ; none: it is gone."""
    relations: Relations | None = None
    """What the server shows of the relations that change, as far as plans depend on it; None: it was not asked."""


@dataclass
class Plan:
    """Steps in an order that can be carried out; deletes come last, as in the engine."""

    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    unsettled: list[Change] = field(default_factory=list)
    """Changes of which only the server knows what they really are (`succession.settle`)."""

    def step(self, spec: Spec) -> Step | None:
        """What happens to an object; None: nothing."""
        return self._by_reference.get(spec.reference())

    @cached_property
    def _by_reference(self) -> dict[Reference, Step]:
        return {step.spec.reference(): step for step in self.steps}

    def statements(self) -> Iterator[tuple[Step, Statement]]:
        """Every statement with its step."""
        yield from ((step, statement) for step in self.steps for statement in step.statements)


def make_plan(
    standing: Standing, new: Whole, capabilities: ServerCapabilities, settled: Mapping[Reference, Change] | None = None
) -> Plan:
    """Plans every create, change and drop. An object that nothing happens to has no step; one that a dependency's
    rebuild makes again has none of its own. `settled`: what the server said of changes that were unsettled, by their
    object."""
    work = _Work(standing, new, Context(capabilities, new), settled or {})
    if work.nothing_to_do():
        return Plan(refusals=list(standing.refusals))
    for reference in new.creation_order:
        work.make(new.specs[reference])
    for reference in reversed(work.old.creation_order):
        work.remove(reference)
    return work.plan


class _Work:
    """A plan under way: `now` is what will stand after the steps so far."""

    def __init__(self, standing: Standing, new: Whole, context: Context, settled: Mapping[Reference, Change]) -> None:
        self.settled = settled
        self.applied, self.new, self.context = standing.applied, new, context
        self._found = standing.relations
        self.renames = Renames.declared(new).of(standing.applied)
        self.old = self.renames.carry(standing.applied)
        """What is applied, everything under its new name."""
        self.leading = {
            rename.new.reference(): kind_of(rename.new.KIND).plan(before, after, context)
            for rename, before, after in self.renames.steps(standing.applied)
        }
        self.now: dict[Reference, Spec] = {**standing.adopted, **self.old.specs}
        self.plan = Plan(refusals=list(standing.refusals))
        self._untouchable = {refusal.subject for refusal in standing.refusals}

    def nothing_to_do(self) -> bool:
        """Whether both pictures are the same, so that no order is needed."""
        return (
            not self.leading
            and all(self.now.get(reference) == spec for reference, spec in self.new.specs.items())
            and all(reference in self.new.specs for reference in self.old.specs)
        )

    def make(self, wanted: Spec) -> None:
        """Creates or changes one object."""
        reference = wanted.reference()
        before = self.now.get(reference)
        if before == wanted or shown(wanted) in self._untouchable:
            return
        change = self._planned(before, wanted, wanted)
        if change is None:
            return
        self.now[reference] = wanted
        self._follow(change, before)
        statements = (*self.leading.get(reference, ()), *self._asking(change, before, wanted))
        if statements:
            ours = reference in self.old.specs
            remade = tuple(spec for _, spec in change.rebuilt)
            step = Step("update" if ours else "create", wanted, statements, before, remade)
            self.plan.steps.append(step)

    def remove(self, reference: Reference) -> None:
        """Drops one object that is no longer declared, unless it went with another."""
        if reference in self.new.specs or reference not in self.now:
            return
        carrier = self.old.carrier(reference)
        if carrier is not None and carrier not in self.new.specs:
            return
        before = self.old.specs[reference]
        change = self._planned(before, None, before)
        if change is not None and change.statements:
            self.plan.steps.append(Step("delete", before, self._asking(change, before, None), before))

    def _asking(self, change: Change, before: Spec | None, after: Spec | None) -> tuple[Statement, ...]:
        """The statements of a change, their probes asking under the old names as long as nothing is renamed. Where the
        same change looks different under the old names, nothing proves that no data is lost."""
        if before is None or not self.renames.each or not any(each.hazards for each in change.statements):
            return tuple(change.statements)
        earlier, wanted = self.renames.back(before), self.renames.back(after) if after is not None else None
        names = zip(names_of(earlier, wanted), names_of(before, after), strict=False)
        context = replace(self.context, live={was: self._relation(now) for was, now in names})
        try:
            asked = plan_change(kind_of(before.KIND), earlier, wanted, context, self.applied).statements
        except Refused:
            asked = []
        probes = [hazard.probe for each in asked for hazard in each.hazards]
        count = sum(len(each.hazards) for each in change.statements)
        left = iter(probes if len(probes) == count else [""] * count)
        return tuple(
            replace(each, hazards=tuple(replace(hazard, probe=next(left)) for hazard in each.hazards))
            for each in change.statements
        )

    def _planned(self, before: Spec | None, after: Spec | None, subject: Spec) -> Change | None:
        kind = kind_of(subject.KIND)
        live = {name: self._relation(name) for name in names_of(before, after)} if kind.asks_relation else {}
        try:
            change = plan_change(kind, before, after, replace(self.context, live=live), self.old)
            if change.closure is not None:
                known = self.settled.get(subject.reference())
                self.plan.unsettled += [] if known is not None else [change]
                return known or change
            return change
        except Refused as refusal:
            self.plan.refusals.append(Refusal(shown(subject), str(refusal)))
            return None

    def _relation(self, identity: tuple[str, ...]) -> Relation:
        """A relation as it will be when it is the object's turn."""
        source = identity
        for rename in reversed(self.renames.each):
            source = rename.back().reference(Reference("Relation", source)).identity
        if self._found is None:
            return declared(identity, self.now, in_use=Reference("Table", identity) in self.old.specs)
        found = self._found.get(identity) or self._found.get(source)
        if found is None:
            return declared(identity, self.now, in_use=False)
        soon = declared(identity, self.now)
        managed = Reference("Columnstore", identity) in self.old.specs  # then it is as the steps so far have left it
        return replace(
            found,
            hypertable=found.hypertable or soon.hypertable,
            columnstore=soon.columnstore or (found.columnstore and not managed),
        )

    def _follow(self, change: Change, before: Spec | None) -> None:
        """What a rebuild does to dependents."""
        stood = {spec.reference(): self.now.pop(spec.reference(), None) for spec in change.dropped}
        for _, spec in change.rebuilt:
            self.now[spec.reference()] = spec
            earlier = stood.get(spec.reference())
            if isinstance(spec, Grant) and isinstance(earlier, Grant) and before is not None:
                self.now[spec.reference()] = _half(earlier, spec, [before, *change.dropped])


def _half(earlier: Grant, wanted: Grant, dropped: list[Spec]) -> Spec:
    """A Grant whose lost rights came back as they are declared now, while all others are as they were."""
    lost, back = lost_rights(earlier, dropped), lost_rights(wanted, dropped)
    if lost is earlier or not isinstance(lost, Grant) or not isinstance(back, Grant):
        return wanted  # PUBLIC's is made again as a whole
    kept = tuple(each for each in earlier.objects if each not in lost.objects)
    return earlier.model_copy(update={"objects": (*kept, *back.objects)})


def removals(old: Whole, capabilities: ServerCapabilities) -> Iterable[Step]:
    """The steps of a destroy."""
    return make_plan(Standing(old), Whole(), capabilities).steps
