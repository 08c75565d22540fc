"""The record, inside the database, of what was applied: commits with the statements it records.

`declared` is what the program asked for, `canonical` the server's own form of it right after. While the server still
shows `canonical`, the object is as declared, whatever way the server writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import Declined
from .render import render
from .specs import Reference, Spec, spec_type
from .sqltext import display, literal

FORMAT = 3
"""Format of the ledger's tables that this version writes. 2: entries keep the URN they were taken over from, and a
copied database what it passes for. 3: the format itself."""
EXISTS = render("ledger/format")
"""Whether there is a ledger (`exists`), and of which `format`."""


@dataclass(frozen=True)
class Entry:
    """One applied object."""

    kind: str
    id: str
    stack: str
    urn: str
    former: str | None
    """URN of the resource that had the object before this one took it over."""
    declared: dict[str, Any]
    canonical: dict[str, Any]
    step: str | None = None
    """Where a change in several transactions stands; None: nothing is under way."""

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Entry:
        """From a row of the ledger."""
        return cls(
            row["kind"],
            row["id"],
            row["stack"],
            row["urn"],
            row["former"],
            row["declared"],
            row["canonical"],
            row["step"],
        )

    def declared_spec(self) -> Spec:
        """What was declared when it was applied."""
        return spec_type(self.kind).from_wire(self.declared)

    def canonical_spec(self) -> Spec:
        """The server's form of it."""
        return spec_type(self.kind).from_wire(self.canonical)


def format_of(row: Mapping[str, Any]) -> int | None:
    """The format that the one row of EXISTS tells; None: there is no ledger.

    Raises:
        Declined: it is newer than this program.
    """
    found: int | None = row["format"]
    if found is not None and found > FORMAT:
        raise Declined(
            f"The ledger in the database has format {found}, and this version of the provider knows {FORMAT}: a newer "
            "version has worked on this database. Use that version or a newer one."
        )
    return found


def made_sql(found: int | None) -> str:
    """Makes the ledger, or brings one of an older format to this one; nothing is lost."""
    if found is None:
        return render("ledger/create", format=FORMAT)
    return "; ".join(render(f"ledger/upgrade_{step}").strip() for step in range(found + 1, FORMAT + 1)) + ";"


def select_sql(spec: Spec, found: int = FORMAT) -> str:
    """The entry of one object, in a ledger of that format."""
    return render("ledger/select", kind=spec.KIND, id=spec.import_id(), format=found)


def select_urn_sql(kind: str, urn: str) -> str:
    """The entry that the resource with that URN applied last."""
    return render("ledger/select_urn", kind=kind, urn=urn)


def select_all_sql(found: int = FORMAT) -> str:
    """Every entry, of a ledger of that format."""
    return render("ledger/select_all", format=found)


def keys_sql(stack: str) -> str:
    """Kind and import key of every entry of a stack."""
    return render("ledger/keys", stack=stack)


def record_sql(
    stack: str, urn: str, declared: Spec, canonical: Spec, replaces: str = "", step: str | None = None
) -> str:
    """Writes the entry of an applied object, or of one under way (`step`). `replaces`: its import key before a
    rename."""
    parent = declared.parent()
    return render(
        "ledger/record",
        kind=declared.KIND,
        id=declared.import_id(),
        replaces=replaces,
        stack=stack,
        urn=urn,
        parent=display(*parent.identity) if parent else None,
        declared=_json(declared.without_secrets()),
        canonical=as_json(canonical),
        step=step,
    )


def follow_sql(entry: Entry, declared: Spec, canonical: Spec) -> str:
    """Puts an entry under the name, and into the words, that a rename gives it."""
    parent = declared.parent()
    return render(
        "ledger/follow",
        kind=entry.kind,
        id=entry.id,
        now=declared.import_id(),
        parent=display(*parent.identity) if parent else None,
        declared=_json(declared.without_secrets()),
        canonical=as_json(canonical),
    )


def forget_sql(spec: Spec) -> str:
    """Removes the entry of a dropped object and of what went with it, which the history notes."""
    gone = {Reference(spec.KIND, spec.identity()), *spec.provides()}
    relations = [display(*r.identity) for r in gone if r.kind == "Relation"]
    return render("ledger/forget", kind=spec.KIND, id=spec.import_id(), relations=relations)


def history_sql(stack: str, urn: str, spec: Spec, verb: str, statements: Sequence[str]) -> str:
    """Notes what was run. The statements come without their secrets."""
    return render(
        "ledger/history",
        stack=stack,
        urn=urn,
        kind=spec.KIND,
        id=spec.import_id(),
        verb=verb,
        statements=", ".join(literal(sql) for sql in statements),
    )


def as_json(canonical: Spec) -> str:
    """The server's form of an object, as an entry keeps it."""
    return _json(canonical.comparable())


def _json(spec: Spec) -> str:
    return json.dumps(spec.to_wire(), ensure_ascii=False)


def history_select_sql(import_id: str, limit: int) -> str:
    """The newest `limit` entries of the history, oldest first; of one object where `import_id` is given."""
    return render("ledger/history_select", id=import_id, limit=int(limit))
