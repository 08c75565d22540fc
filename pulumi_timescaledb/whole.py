"""The whole picture: every declaration, and who needs whom.

A spec needs what its fields refer to and what its SQL texts mention. A mention is any dotted name in a text that is
the name of a declared object; too many edges cost nothing, a missing one breaks a create. What only a function's body
mentions is made before it, so that the server can check the body, unless that closes a circle.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .circles import components
from .specs import Reference, Spec, spec_type
from .sqltext import mentions_of

_BEFORE_EXTENSIONS = frozenset({"Extension", "Schema", "Role", "RoleMembership", "ServerSetting"})


class Whole:
    """Every declaration of one database, by reference."""

    def __init__(self, specs: Iterable[Spec] = ()) -> None:
        self.specs: dict[Reference, Spec] = {}
        for spec in specs:
            if spec.reference() in self.specs:
                raise ValueError(f"{spec.KIND} {spec.import_id()} is declared twice")
            self.specs[spec.reference()] = spec

    def get(self, kind: str, *identity: str) -> Spec | None:
        """The declaration of that identity, if there is one."""
        return self.specs.get(Reference(kind, identity))

    def of_kind(self, kind: str) -> list[Any]:
        """Declarations of a kind, in the order they were declared."""
        return list(self._by_kind[kind]) if kind in self._by_kind else []

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for spec in self.specs.values():
            found[spec.KIND].append(spec)
        return found

    @cached_property
    def _answering(self) -> dict[Reference, list[Spec]]:
        found: dict[Reference, list[Spec]] = defaultdict(list)
        for spec in self.specs.values():
            for reference in (spec.reference(), *spec.provides()):
                found[reference].append(spec)
        return found

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[Spec]]:
        """Objects that an SQL text can name: relations, types, functions."""
        found: dict[tuple[str, str], list[Spec]] = defaultdict(list)
        for spec in self.specs.values():
            if spec.KIND == "Function" or any(r.kind in ("Relation", "Type") for r in spec.provides()):
                identity = spec.identity()
                found[(identity[0], identity[1])].append(spec)
        return found

    @cached_property
    def _completing(self) -> dict[Reference, list[Spec]]:
        """Specs that bring a relation into its final shape, by that relation."""
        found: dict[Reference, list[Spec]] = defaultdict(list)
        for spec in self.specs.values():
            parent = spec.parent()
            if spec.COMPLETES_PARENT and parent is not None:
                found[parent].append(spec)
        return found

    @cached_property
    def _extensions(self) -> list[Spec]:
        return self.of_kind("Extension")

    @cached_property
    def _for_extensions(self) -> frozenset[Reference]:
        """What extensions themselves need: schemas that they are put in."""
        return frozenset(each for extension in self._extensions for each in extension.references())

    @cached_property
    def needs(self) -> Mapping[Reference, list[Reference]]:
        """For each declaration the declarations it needs, without duplicates, in a stable order."""
        return {reference: self._needs(spec) for reference, spec in self.specs.items()}

    def _needs(self, spec: Spec) -> list[Reference]:
        found: dict[Reference, None] = {}
        # Also what could do without them: DDL beside the drop of TimescaleDB fails in its hooks ("could not open
        # relation with OID", PostgreSQL 17 and TimescaleDB 2.29, seen), so that goes before and the extension after.
        if spec.KIND not in _BEFORE_EXTENSIONS or (
            spec.KIND == "Schema" and spec.reference() not in self._for_extensions
        ):
            found.update((extension.reference(), None) for extension in self._extensions)
        for reference in (*spec.references(), *spec.possible_references()):
            for target in self._answering.get(reference, ()):
                self._need(found, spec, target)
        for name in sorted(spec.mentions()):
            for target in self._by_name.get((name[0], name[1]), ()) if len(name) > 1 else ():
                self._need(found, spec, target)
        found.pop(spec.reference(), None)
        return list(found)

    def _need(self, found: dict[Reference, None], spec: Spec, target: Spec) -> None:
        found[target.reference()] = None
        if not spec.COMPLETES_PARENT:
            for provided in target.provides():
                for completing in self._completing.get(provided, ()):
                    found[completing.reference()] = None

    @cached_property
    def needed_by(self) -> Mapping[Reference, list[Reference]]:
        """The inverse of `needs`."""
        found: dict[Reference, list[Reference]] = {reference: [] for reference in self.specs}
        for reference, needed in self.needs.items():
            for target in needed:
                found[target].append(reference)
        return found

    @cached_property
    def _bodies(self) -> Mapping[Reference, list[Reference]]:
        """What the bodies of functions mention, which the server does not hold against a drop."""
        found: dict[Reference, list[Reference]] = {}
        for reference, spec in self.specs.items():
            names = {name for text in spec.body_texts() for name in mentions_of(text)}
            needed: dict[Reference, None] = {}
            for name in sorted(names):
                for target in self._by_name.get((name[0], name[1]), ()) if len(name) > 1 else ():
                    self._need(needed, spec, target)
            needed.pop(reference, None)
            if needed:
                found[reference] = list(needed)
        return found

    @cached_property
    def _circles(self) -> Mapping[Reference, int]:
        """Number of the group of objects that need each other, bodies counted, for every object."""
        every = {reference: [*needed, *self._bodies.get(reference, ())] for reference, needed in self.needs.items()}
        return {member: number for number, group in enumerate(components(every)) for member in group}

    @cached_property
    def unordered(self) -> frozenset[Reference]:
        """Functions that are made before something their body mentions: the server must not check the body then."""
        if not self._bodies:
            return frozenset()
        group = self._circles
        return frozenset(f for f, needed in self._bodies.items() if any(group[f] == group[each] for each in needed))

    @cached_property
    def _comes_after(self) -> Mapping[Reference, list[Reference]]:
        """`needs`, and what bodies mention where that closes no circle."""
        if not self._bodies:
            return self.needs
        group, found = self._circles, dict(self.needs)
        for reference, needed in self._bodies.items():
            later = [each for each in needed if group[each] != group[reference]]
            found[reference] = list(dict.fromkeys([*found[reference], *later]))
        return found

    @cached_property
    def creation_order(self) -> list[Reference]:
        """Every reference, each after what it needs.

        Raises:
            ValueError: declarations need each other in a circle; it names the circle.
        """
        try:
            return list(TopologicalSorter(self._comes_after).static_order())
        except CycleError as error:
            circle = " -> ".join(str(reference) for reference in reversed(error.args[1]))
            raise ValueError(f"these declarations need each other in a circle: {circle}") from error

    @cached_property
    def _position(self) -> Mapping[Reference, int]:
        """Place of every reference in the creation order."""
        return {reference: position for position, reference in enumerate(self.creation_order)}

    @cached_property
    def direct_needs(self) -> Mapping[Reference, list[Reference]]:
        """`needs` without what another need already brings: the fewest edges that say the same."""
        number = self._position
        reach: dict[Reference, int] = {}  # bit set of everything needed, directly or not
        direct: dict[Reference, list[Reference]] = {}
        for reference in self.creation_order:
            needed = self._comes_after[reference]
            brought = 0
            for each in needed:
                brought |= reach[each]
            direct[reference] = [each for each in needed if not brought >> number[each] & 1]
            for each in needed:
                brought |= 1 << number[each]
            reach[reference] = brought
        return direct

    def dependents(self, reference: Reference) -> list[Reference]:
        """Everything that needs `reference`, directly or not, in creation order."""
        reached: set[Reference] = set()
        waiting = [reference]
        while waiting:
            for dependent in self.needed_by.get(waiting.pop(), ()):
                if dependent not in reached:
                    reached.add(dependent)
                    waiting.append(dependent)
        return sorted(reached, key=self._position.__getitem__)

    def carrier(self, reference: Reference) -> Reference | None:
        """The object whose drop takes this one along, if it then needs no drop of its own.

        What needs more than its carrier (a trigger its function, a policy another table) is dropped in its own turn:
        the other thing would otherwise be dropped while this one still stands on it.
        """
        parent = self.specs[reference].parent()
        if parent is None:
            return None
        needs = self.needs[reference]
        carriers = [each for each in needs if parent in self.specs[each].provides()]
        if not carriers:
            return None
        carrier = carriers[0]
        enough = {carrier, *self.needs[carrier]}
        if all(each in enough or self.specs[each].parent() == parent for each in needs):
            return carrier
        return None

    def pack(self) -> str:
        """The whole picture as one short text (compressed: it stands in every checkpoint of the engine)."""
        rows = [[spec.KIND, spec.without_secrets().to_wire()] for spec in self.specs.values()]
        text = json.dumps(rows, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return base64.b85encode(zlib.compress(text.encode(), 9)).decode()

    @classmethod
    def unpack(cls, packed: str) -> Whole:
        """The inverse of `pack`.

        Raises:
            ValueError: the text is not a packed picture.
        """
        try:
            rows = json.loads(zlib.decompress(base64.b85decode(packed)))
        except (ValueError, zlib.error) as error:
            raise ValueError("the manifest's declarations are not in the form this provider writes") from error
        return cls(spec_type(kind).from_wire(wire) for kind, wire in rows)
