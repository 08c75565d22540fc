"""What changes its place together: an aggregate, those built on it, and what stands on any of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..kinds import Context
from ..specs import Reference, Spec
from ..specs.base import relation
from ..specs.continuous_aggregate import ContinuousAggregate
from ..specs.function import Function
from ..sqltext import MAX_IDENTIFIER_BYTES, mentioned_names
from ..whole import Whole

_STANDS = frozenset({"View", "MaterializedView"})
_SATELLITES = frozenset({"Index", "Columnstore", "RefreshPolicy", "RetentionPolicy"})


@dataclass(frozen=True)
class Member:
    """One aggregate of the closure. `new` is None where it is no longer declared: it goes with the swap."""

    old: ContinuousAggregate
    new: ContinuousAggregate | None
    stand_in: str
    """Name of the new one until the swap."""
    retired: str
    """Name of the old one from then on."""


@dataclass(frozen=True)
class Closure:
    """`root` is the aggregate whose change starts it, `wanted` its new form, `before` what is applied now."""

    root: ContinuousAggregate
    wanted: ContinuousAggregate
    before: Whole
    context: Context

    @cached_property
    def _references(self) -> list[Reference]:
        """Aggregates of the closure, the lowest first."""
        reached, waiting = {self.root.reference()}, [self.root.reference()]
        while waiting:
            for dependent in self.before.needed_by.get(waiting.pop(), ()):
                if dependent.kind == "ContinuousAggregate" and dependent not in reached:
                    reached.add(dependent)
                    waiting.append(dependent)
        return [each for each in self.before.creation_order if each in reached]

    def declared(self, reference: Reference) -> Spec | None:
        """What is wanted of an object; without a whole picture everything else stays as it is."""
        if reference == self.root.reference():
            return self.wanted
        whole = self.context.whole
        if whole is None or (reference not in whole.specs and self._renamed(reference)):
            return self.before.specs.get(reference)  # its own turn renames it
        return whole.specs.get(reference)

    def _renamed(self, reference: Reference) -> bool:
        specs = self.context.whole.specs.values() if self.context.whole is not None else ()
        return any(
            reference == Reference(spec.KIND, (*spec.identity()[:-1], previously))
            for spec in specs
            if (previously := getattr(spec, "previously", None)) is not None
        )

    @cached_property
    def digest(self) -> str:
        """Stands for everything that decides what is built: another digest is another succession."""
        built = [self.declared(reference) for reference in self._references]
        built += [spec for each in self._references for spec in self._declared_satellites(each)]
        texts = [spec.comparable().to_wire() if spec is not None else None for spec in built]
        return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:8]

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The lowest first."""
        found = []
        for reference in self._references:
            old: Any = self.before.specs[reference]
            new: Any = self.declared(reference)
            found.append(
                Member(old, new, named(old.name, f"_v2_{self.digest}"), named(old.name, f"_old_{self.digest}"))
            )
        return tuple(found)

    @property
    def built(self) -> list[tuple[Member, ContinuousAggregate]]:
        """Members that are built anew, with their new declarations."""
        return [(member, member.new) for member in self.members if member.new is not None]

    def _declared_satellites(self, reference: Reference) -> Iterator[Spec]:
        for _, wanted in self.satellites(self.before.specs[reference]):
            if wanted is not None and wanted.KIND in ("Index", "Columnstore"):
                yield wanted

    def satellites(self, of: Spec) -> list[tuple[Spec, Spec | None]]:
        """Policies, columnstore and indexes of an aggregate: (as applied, as wanted), in creation order."""
        parent = relation(*of.identity())
        return [
            (spec, self.declared(reference))
            for reference in self.before.creation_order
            if (spec := self.before.specs[reference]).parent() == parent and spec.KIND in _SATELLITES
        ]

    @cached_property
    def standing(self) -> list[Spec]:
        """Views, functions of their row types, and what belongs to those, as applied, in creation order. What only
        mentions a relation (a function's body, a job) finds the new one by its name."""
        reached = set(self._references)
        for reference in self.before.creation_order:
            spec = self.before.specs[reference]
            if reached & set(self.before.needs[reference]) and self._falls_with(spec, reached):
                reached.add(reference)
        return [
            self.before.specs[each] for each in self.before.creation_order if each in reached - set(self._references)
        ]

    def _falls_with(self, spec: Spec, reached: set[Reference]) -> bool:
        if spec.KIND in _STANDS:
            return True
        others = [self.before.specs[each] for each in reached if each not in self._references]
        if isinstance(spec, Function):
            types = [*(argument.type for argument in spec.arguments), spec.returns or ""]
            names = {name for text in types for name in mentioned_names(text)}
            gone = [self.before.specs[each] for each in reached]
            return any(tuple(each.identity()[:2]) in names for each in gone)
        answering = {answer for each in others for answer in (each.reference(), *each.provides())}
        return spec.parent() in answering or (spec.KIND == "Grant" and bool(answering & set(spec.references())))

    def may_stand_again(self, spec: Spec) -> bool:
        """Whether everything that a new declaration needs is there already; the old one stands in for it otherwise,
        and its own turn changes it."""
        whole = self.context.whole
        return whole is None or all(need in self.before.specs for need in whole.needs.get(spec.reference(), ()))

    def context_with_stand_ins(self) -> Context:
        """A context in which the stand-ins and the retired are aggregates like others. An index on them is built in
        the transaction: it is empty."""
        extra = {}
        for member, new in self.built:
            for spec in (member.old, new, renamed(new, member.stand_in), renamed(member.old, member.retired)):
                extra[spec.reference()] = spec
        whole = self.context.whole if self.context.whole is not None else self.before
        specs = [spec for reference, spec in whole.specs.items() if reference not in extra]
        capabilities = replace(self.context.capabilities, concurrent_index=False)
        return replace(self.context, capabilities=capabilities, whole=Whole([*specs, *extra.values()]))


def renamed(spec: ContinuousAggregate, name: str) -> ContinuousAggregate:
    """The same aggregate under another name."""
    return spec.model_copy(update={"name": name})


def named(name: str, suffix: str) -> str:
    """`name` with a suffix, cut where PostgreSQL would cut it otherwise."""
    return name.encode()[: MAX_IDENTIFIER_BYTES - len(suffix.encode())].decode(errors="ignore") + suffix
