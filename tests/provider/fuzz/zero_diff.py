"""What must hold for every spec that a server accepts."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from pulumi_timescaledb.drift import as_seen, differences
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.ledger import Entry
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.statement import Rebuild, Refused

from ..lifecycle import Server, imported

_LEFT_ALONE = ("owner", "initial_start", "version")
"""Fields that stay as they are where the new declaration does not give them; so does an extension's schema."""


def zero_diff(server: Server, spec: Spec, *, droppable: bool = True) -> Spec:
    """Makes it: read back it is as declared, and what was read makes the same again. The server's form of it."""
    again = type(spec).from_wire(_through_json(spec.to_wire()))
    assert again == spec, "the wire changes it"
    made(server, spec)
    found = _read(server, spec)
    assert type(spec).from_wire(_through_json(found.to_wire())) == found, "the wire changes what was read"
    entry = Entry(
        spec.KIND,
        spec.import_id(),
        "flows/dev",
        "urn",
        None,
        _through_json(spec.without_secrets().to_wire()),
        _through_json(found.comparable().to_wire()),
    )
    assert differences(entry.canonical_spec(), found) == []
    _same(as_seen(entry, found).comparable(), spec.comparable(), "it is not what was declared")
    _same(imported(server, spec.KIND, spec.import_id()), found, "imported it is another")
    if droppable:
        with server.aside():
            server.apply(server.plan(spec, None))
            nothing = kind_of(spec.KIND).absent(spec.identity())
            assert (server.read(spec.KIND, spec.identity()) or nothing) == nothing
            made(server, found)
            again = _read(server, found)
            _same(_without_texts(again), _without_texts(found), "made from what was read it is another")
            if again != found:
                server.apply(server.plan(found, None))
                made(server, again)
                _same(_read(server, again), again, "the server's own form does not settle")
    return found


def _without_texts(spec: Spec) -> Spec:
    """The spec without its SQL texts: the server does not always write what it reads. BETWEEN under AND loses its
    parentheses, IN over varchar becomes another array (PostgreSQL 17, measured); the second time nothing changes."""
    texts = {text for text in spec.sql_texts() if text}

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(each) for key, each in value.items()}
        if isinstance(value, list):
            return [bare(each) for each in value]
        return "" if isinstance(value, str) and value in texts else value

    found: Spec = type(spec).model_construct(**bare(spec.model_dump(mode="json")))
    return found


def same_as_fresh(server: Server, old: Spec, new: Spec, fresh: Spec) -> None:
    """Turns what `old` made into `new`: the result is what a fresh create of `new` gives."""
    try:
        statements = server.plan(old, new)
    except Refused:
        return
    except Rebuild:
        statements = [*server.plan(old, None), *server.plan(None, new)]
    if old.comparable() == new.comparable():
        assert statements == [] or old != new
    try:
        server.apply(statements)
    except psycopg.errors.InvalidParameterValue as refusal:
        if new.KIND == "Sequence" and "RESTART value" in str(refusal):
            return  # its position is data: the server keeps it, and refuses bounds that leave it outside
        raise
    left_alone = {name for name in _LEFT_ALONE if getattr(new, name, "") is None}
    found = _read(server, new).model_copy(update={name: getattr(fresh, name) for name in left_alone})
    _same(found.comparable(), fresh.comparable(), "changed it is another than made afresh")


def _read(server: Server, spec: Spec) -> Spec:
    found = server.read(spec.KIND, spec.identity()) or kind_of(spec.KIND).absent(spec.identity())
    assert found is not None, "it was made and is not found"
    return found


def made(server: Server, spec: Spec) -> None:
    """Makes it; a kind that is taken over where it is there already is changed from what it is."""
    adopts = kind_of(spec.KIND).adopts_existing
    server.apply(server.plan(server.read(spec.KIND, spec.identity()) if adopts else None, spec))


def _through_json(wire: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(wire, ensure_ascii=False))
    return made


def _same(one: Spec, other: Spec, otherwise: str) -> None:
    fields = [name for name in type(one).model_fields if getattr(one, name) != getattr(other, name)]
    assert one == other, f"{otherwise}: {[(name, getattr(one, name), getattr(other, name)) for name in fields]}"
