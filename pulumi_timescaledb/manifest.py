"""What only the whole picture shows: rules between declarations, and everything a change would do, before it starts."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import rules
from .capabilities import ServerCapabilities
from .kinds import Context, kind_of
from .kinds.base import shown
from .rebuild import plan_change
from .specs import Reference, Spec
from .statement import Refused, Statement
from .whole import Whole


@dataclass
class Preflight:
    """What a change of the whole would do."""

    drops: list[tuple[Spec, list[Statement]]] = field(default_factory=list)
    changes: list[tuple[Spec, Spec, list[Statement]]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def statements(self) -> Iterator[tuple[str, frozenset[str], Statement]]:
        """(subject, allowances of the declarations, statement) of everything that is planned."""
        for spec, statements in self.drops:
            yield from ((shown(spec), frozenset(spec.allow), each) for each in statements)
        for old, new, statements in self.changes:
            yield from ((shown(new), frozenset(old.allow + new.allow), each) for each in statements)


def violations(whole: Whole, capabilities: ServerCapabilities) -> list[str]:
    """What the rules say against these declarations: each a sentence with the safe pattern. One module of `rules/`
    is one rule."""
    found = []
    for info in sorted(pkgutil.iter_modules(rules.__path__), key=lambda module: module.name):
        rule = importlib.import_module(f"{rules.__name__}.{info.name}")
        found += list(rule.check(whole, capabilities))
    try:
        _ = whole.creation_order
    except ValueError as error:
        found.append(str(error))
    return found


def preflight(old: Whole, new: Whole, capabilities: ServerCapabilities) -> Preflight:
    """Plans every change from one picture to the other."""
    result = Preflight()
    context = Context(capabilities, new)
    renamed = {source: target for target in new.specs.values() if (source := _renamed_from(target, old, new))}
    for reference in reversed(old.creation_order):
        before = old.specs[reference]
        after = new.specs.get(reference) or renamed.get(reference)
        if after is None and _goes_with_parent(before, old, new):
            continue
        try:
            change = plan_change(kind_of(before.KIND), before, after, context, old)
        except Refused as refusal:
            result.refusals.append(f"{shown(before)}: {refusal}")
            continue
        if after is None:
            result.drops.append((before, change.statements))
        elif change.statements:
            result.changes.append((before, after, change.statements))
    return result


def _renamed_from(spec: Spec, old: Whole, new: Whole) -> Reference | None:
    previously = getattr(spec, "previously", None)
    if previously is None or spec.reference() in old.specs:
        return None
    source = Reference(spec.KIND, (*spec.identity()[:-1], previously))
    return source if source in old.specs and source not in new.specs else None


def _goes_with_parent(spec: Spec, old: Whole, new: Whole) -> bool:
    """Whether the object that carries this one goes too, and takes it along."""
    parent = spec.parent()
    if parent is None:
        return False
    carriers = [each for each in old.specs.values() if parent in each.provides()]
    return bool(carriers) and all(each.reference() not in new.specs for each in carriers)
