"""What differs between the server and what was last applied, and what nobody declared. Needs no engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .kinds import kind_of
from .ledger import Entry
from .specs import Spec

if TYPE_CHECKING:
    from .snapshot import Snapshot

_ALWAYS_THERE = frozenset({"ServerSetting"})


@dataclass(frozen=True)
class Drift:
    """One object that is not as it was applied. `fields`: property -> (as applied, as found), in the server's words."""

    kind: str
    id: str
    what: Literal["changed", "missing", "unfinished"]
    fields: dict[str, tuple[Any, Any]]


def drifted(snapshot: Snapshot, stack: str) -> Iterator[Drift]:
    """Objects of a stack that were changed or dropped behind its back, or left half-way by a run that ended early."""
    for (kind, key), entry in sorted(snapshot.entries.items()):
        if entry.stack != stack:
            continue
        if entry.step:
            yield Drift(kind, key, "unfinished", {})
            continue
        live = snapshot.by_id.get((kind, key))
        if live is not None and live.comparable().to_wire() == entry.canonical:
            continue  # most objects: no spec is made of what the ledger holds
        canonical = entry.canonical_spec()
        live = snapshot.find(kind, canonical.identity())
        if live is None:
            yield Drift(kind, key, "missing", {})
        elif names := differences(canonical, live):
            one, other = canonical.comparable().to_wire(), live.comparable().to_wire()
            yield Drift(kind, key, "changed", {name: (one.get(name), other.get(name)) for name in names})


def as_seen(entry: Entry, live: Spec) -> Spec:
    """What was declared, with the live values of the fields that are no longer as they were right after; of a list of
    named parts (columns, checks) only those parts."""
    if live.comparable().to_wire() == entry.canonical:
        return entry.declared_spec()
    aliases = {field.alias or name: name for name, field in type(live).model_fields.items()}
    declared, canonical = entry.declared_spec(), entry.canonical_spec()
    drifted = [aliases[name] for name in differences(canonical, live)]
    seen = {name: _seen(*(getattr(spec, name) for spec in (declared, canonical, live))) for name in drifted}
    return declared.model_copy(update=seen)


def _seen(declared: Any, canonical: Any, live: Any) -> Any:
    lists = (declared, canonical, live)
    if not all(
        isinstance(each, tuple) and all(isinstance(getattr(i, "name", None), str) for i in each) for each in lists
    ):
        return live
    words, recorded = ({item.name: item for item in each} for each in (declared, canonical))
    return tuple(words.get(item.name, item) if recorded.get(item.name) == item else item for item in live)


def put_right(entry: Entry, live: Spec, new: Spec) -> Spec:
    """What is wanted, with the recorded value of what drifted where the program leaves it to the server (an owner). An
    object that is simply taken over where it is there keeps what it has (an extension that was updated)."""
    if kind_of(entry.kind).adopts_existing or entry.step:
        return new
    canonical = entry.canonical_spec()
    aliases = {field.alias or name: name for name, field in type(live).model_fields.items()}
    names = [aliases[name] for name in differences(canonical, live)]
    return new.model_copy(update={n: getattr(canonical, n) for n in names if getattr(new, n) is None})


def differences(one: Spec, other: Spec) -> list[str]:
    """Names of the properties in which two specs of a kind differ, as they are called on the wire."""
    first, second = one.comparable().to_wire(), other.comparable().to_wire()
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def unmanaged(snapshot: Snapshot, stack: str, admin: str) -> Iterator[tuple[str, str]]:
    """(kind, import key) of objects in the stack's schemas that nobody declared. Never touched by anything here.

    `admin`: the user the provider connects as, which no program declares. Roles live outside schemas and count where
    they hold rights in one; extensions and settings are the server's own business.
    """
    schemas = {entry.id for entry in snapshot.entries.values() if entry.kind == "Schema" and entry.stack == stack}
    known = {(entry.kind, entry.id) for entry in snapshot.entries.values()}
    for kind, found in sorted(snapshot.live.items()):
        if kind in _ALWAYS_THERE or kind in ("Extension", "Role", "RoleMembership"):
            continue
        for spec in found.values():
            schema = spec.import_id() if kind == "Schema" else getattr(spec, "schema_", None)
            if schema not in schemas or (kind, spec.import_id()) in known:
                continue
            if kind == "Grant" and (spec.role == admin or not (spec.privileges or spec.objects or spec.defaults)):  # type: ignore[attr-defined]
                continue
            yield kind, spec.import_id()
