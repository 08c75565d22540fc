"""What stands in the database, as a plan needs it: from the ledger and the catalog, compared as plain JSON first,
because most objects are as they were applied."""

from __future__ import annotations

from .drift import as_seen, differences, put_right
from .kinds import kind_of
from .kinds.base import shown
from .ledger import Entry
from .plan import Refusal, Standing
from .snapshot import Snapshot
from .specs import Reference, Spec
from .succession.step import Step as SuccessionStep
from .whole import Whole


def standing(snapshot: Snapshot, new: Whole, stack: str) -> Standing:
    """Old side of every plan: as declared while the server shows the recorded form, else as a refresh would read it."""
    declared = {(spec.KIND, spec.import_id()): spec for spec in new.specs.values()}
    specs: list[Spec] = []
    drifted: dict[str, tuple[str, ...]] = {}
    refusals: list[Refusal] = []
    known: set[tuple[str, str]] = set()
    for key, entry in snapshot.entries.items():
        wanted = declared.get(key)
        if entry.stack != stack:
            if wanted is not None:
                known.add(key)
                refusals.append(_of_another_stack(wanted, entry))
            continue
        known.add(key)
        found = _stands(snapshot, entry, wanted, drifted)
        if found is not None:
            specs.append(found)
    adopted: dict[Reference, Spec] = {}
    for key, spec in declared.items():
        live = None if key in known else snapshot.find(spec.KIND, spec.identity())
        if live is None:
            continue
        if kind_of(spec.KIND).adopts_existing:
            adopted[spec.reference()] = live
        else:
            refusals.append(_foreign(spec))
    return Standing(Whole(specs), adopted, tuple(refusals), drifted)


def put_right_in(snapshot: Snapshot, stands: Standing, new: Whole) -> Whole:
    """What is wanted, with what the program leaves to the server as it was before it drifted."""
    wanted = dict(new.specs)
    for reference, spec in new.specs.items() if stands.drifted else ():
        live = snapshot.find(spec.KIND, spec.identity())
        if live is not None and f"{spec.KIND} {spec.import_id()}" in stands.drifted:
            wanted[reference] = put_right(snapshot.entries[(spec.KIND, spec.import_id())], live, spec)
    return Whole(wanted.values()) if stands.drifted else new


def _stands(snapshot: Snapshot, entry: Entry, wanted: Spec | None, drifted: dict[str, tuple[str, ...]]) -> Spec | None:
    """One object of this stack as it stands; None: it is gone. `drifted` gets the fields that are not as applied."""
    declared = wanted if wanted is not None and wanted.without_secrets().to_wire() == entry.declared else None
    if declared is None:
        declared = entry.declared_spec()
    live = snapshot.find(entry.kind, declared.identity())
    if live is None:
        drifted[f"{entry.kind} {entry.id}"] = ()
        return None
    if entry.step and SuccessionStep.of(entry) is None:
        found = live  # left half-way: the recorded form says nothing about what is there
    elif live.comparable().to_wire() == entry.canonical:
        found = declared
    else:
        found = as_seen(entry, live)
        if names := differences(entry.canonical_spec(), live):
            drifted[f"{entry.kind} {entry.id}"] = tuple(names)
    return found.with_secrets_of(wanted)  # what the server cannot show is taken to be as it is wanted


def _foreign(spec: Spec) -> Refusal:
    return Refusal(
        shown(spec),
        "it exists and was not made by this provider. Drop or rename it, or adopt it with the resource option "
        f'import_="{spec.import_id()}".',
        foreign=True,
    )


def _of_another_stack(spec: Spec, entry: Entry) -> Refusal:
    return Refusal(
        shown(spec),
        f'it belongs to stack "{entry.stack}". Remove it from one of the two programs, or run `flowsctl ledger rebind` '
        "if this database is a copy.",
    )
