"""Renames: which object was called what, and how everything that names it reads afterwards.

The server carries out a RENAME for everything that stands on an object; declarations, state and ledger must follow in
the same way, or each satellite would look like one object gone and another one new.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from .blocking import has_parsed_body
from .specs import Part, Reference, Spec
from .specs.base import SqlText, SqlType
from .specs.function import Function
from .specs.grant import Grant, split_signature
from .sqltext import renamed
from .whole import Whole

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Rename:
    """One object under its old and its new name; only their names differ."""

    old: Spec
    new: Spec

    def back(self) -> Rename:
        """The way back."""
        return Rename(self.new, self.old)

    def reference(self, one: Reference) -> Reference:
        """What `one` is called afterwards: another name if it is this object (or what it provides), or lies in it."""
        if self.old.KIND == "Schema":
            inside = len(one.identity) > 1 or one.kind == "Schema"
            hit = inside and one.identity[0] == self.old.identity()[0]
            return one._replace(identity=(*self.new.identity(), *one.identity[1:])) if hit else one
        pairs = zip(_answers(self.old), _answers(self.new), strict=True)
        return next((after for before, after in pairs if before == one), one)

    def follow(self, spec: S) -> S:
        """A spec as it reads afterwards: its own name, the names in its fields, the names in its SQL texts."""
        updates: dict[str, Any] = {}
        if spec.reference() == self.old.reference():
            updates["name"] = self.new.name  # type: ignore[attr-defined]
        for named in spec.NAMES:
            first, *others = (getattr(spec, field) for field in named.fields)
            many = first if isinstance(first, tuple) else (first,)
            told = [self.reference(Reference(named.kind, (value, *others, *named.rest))).identity for value in many]
            if first is not None and [each[0] for each in told] != list(many):
                updates[named.fields[0]] = tuple(t[0] for t in told) if isinstance(first, tuple) else told[0][0]
            if others and told[0][1] != others[0]:
                updates[named.fields[1]] = told[0][1]
        updates |= self._texts(spec)
        if isinstance(spec, Function) and has_parsed_body(spec) and self.old.KIND != "Role":
            updates["body"] = renamed(spec.body, *self._heads())
        if isinstance(spec, Grant):
            updates |= self._rights(spec)
        return spec.model_copy(update=updates) if updates else spec

    def _texts(self, part: Part) -> dict[str, Any]:
        """SQL texts of a spec, those of its parts included."""
        updates: dict[str, Any] = {}
        if self.old.KIND == "Role":
            return updates
        for field, is_sql in _fields(type(part)):
            value = getattr(part, field)
            if is_sql and value:
                text = renamed(value, *self._heads())
                if text != value:
                    updates[field] = text
            elif isinstance(value, tuple) and value and isinstance(value[0], Part):
                changed = tuple(each.model_copy(update=self._texts(each)) for each in value)
                if changed != value:
                    updates[field] = changed
        return updates

    def _rights(self, grant: Grant) -> dict[str, Any]:
        objects = tuple(
            r.model_copy(update={"name": self._right(grant.schema_, r.type, r.name)}) for r in grant.objects
        )
        defaults = tuple(
            d.model_copy(update={"creator": self.reference(Reference("Role", (d.creator,))).identity[0]})
            for d in grant.defaults
        )
        both = Grant(role=grant.role, schema_=grant.schema_, objects=objects, defaults=defaults)  # in their order
        wanted = {"objects": both.objects, "defaults": both.defaults}
        return {name: value for name, value in wanted.items() if value != getattr(grant, name)}

    def _right(self, schema: str, kind: str, name: str) -> str:
        if kind != "function":
            word = "Type" if kind == "type" else "Relation"
            found = self.reference(Reference(word, (schema, name))).identity
            return found[1]
        function, types = split_signature(name)
        found = self.reference(Reference("Function", (schema, function, types))).identity
        return f"{found[1]}({types if self.old.KIND == 'Role' else renamed(types, *self._heads())})"

    def _heads(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """How its name starts in SQL texts, before and after."""
        length = 1 if self.old.KIND == "Schema" else 2
        return self.old.identity()[:length], self.new.identity()[:length]


class Renames:
    """Several renames, in the order in which they happen: what others lie in comes first."""

    def __init__(self, renames: Iterable[Rename] = ()) -> None:
        self.each: Sequence[Rename] = tuple(renames)

    @classmethod
    def declared(cls, whole: Whole) -> Renames:
        """Every rename that declarations ask for by `previously`, made or still to be made. A name that is declared
        (again) is no old name."""
        asked = ((spec.previous(), spec) for spec in whole.specs.values())
        found = [Rename(old, new) for old, new in asked if old is not None and old.reference() not in whole.specs]
        if len(found) > 1:
            place = {reference: number for number, reference in enumerate(whole.creation_order)}
            found.sort(key=lambda rename: place[rename.new.reference()])
        return cls(found)

    def of(self, old: Whole) -> Renames:
        """Those that turn a picture into one where everything has its new name: there is something under the old
        name, and nothing under the new one."""
        return Renames(rename for rename, _, _ in self.steps(old))

    def steps(self, old: Whole) -> Iterator[tuple[Rename, Spec, Spec]]:
        """Each of those with its object before and after, nothing but the name being another."""
        for rename in self.each:
            before = old.specs.get(rename.old.reference())
            if before is not None and rename.new.reference() not in old.specs:
                yield rename, before, rename.follow(before)
                old = Renames([rename]).carry(old)

    def carry(self, old: Whole) -> Whole:
        """A picture with every new name, and nothing else changed."""
        return Whole(map(self.follow, old.specs.values())) if self.each else old

    def follow(self, spec: S) -> S:
        """A spec as it reads after all of them."""
        for rename in self.each:
            spec = rename.follow(spec)
        return spec

    def back(self, spec: S) -> S:
        """A spec as it reads before all of them."""
        for rename in reversed(self.each):
            spec = rename.back().follow(spec)
        return spec


def _answers(spec: Spec) -> list[Reference]:
    return [spec.reference(), *spec.provides()]


@cache
def _fields(part: type[Part]) -> list[tuple[str, bool]]:
    """(field, whether it holds an SQL text) of a part."""
    hints = typing.get_type_hints(part, include_extras=True)
    return [(name, _is_sql(hints[name])) for name in part.model_fields]


def _is_sql(hint: Any) -> bool:
    return hint in (SqlText, SqlType) or any(_is_sql(each) for each in typing.get_args(hint) if each is not str)
