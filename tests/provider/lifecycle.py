"""The life of an object on a real server, as data: a case says what, the runner does the rest.

Each life runs in one transaction that is rolled back, so cases share a server and leave nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pulumi_timescaledb import relations
from pulumi_timescaledb.adapter.handler import Call
from pulumi_timescaledb.adapter.objects import ObjectHandler
from pulumi_timescaledb.adapter.session import EngineLog, Session
from pulumi_timescaledb.adapter.wire import bare
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.catalog import SESSION, Catalog, Scope, source_sql
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.render import render
from pulumi_timescaledb.snapshot import Snapshot
from pulumi_timescaledb.specs import Spec, spec_type
from pulumi_timescaledb.statement import Rebuild, Refused, Statement


@dataclass(frozen=True)
class Alter:
    """A change of fields. `rebuild`: the kind asks for drop + create. `refused`: a part of the reason."""

    name: str
    change: dict[str, Any]
    rebuild: bool = False
    refused: str = ""
    before: str = ""


@dataclass(frozen=True)
class Drift:
    """A change behind the provider's back and the fields that must show it, separated by blanks: "comment",
    "columns.type columns.default". Then it is put right: in place, by a rebuild, or not at all (`refused`: a part of
    what is said)."""

    name: str
    sql: str
    fields: str
    rebuild: bool = False
    refused: str = ""


@dataclass(frozen=True)
class LifeCycle:
    """One object's life. `before` is SQL that makes what the spec refers to."""

    name: str
    spec: Spec
    before: str = ""
    alters: tuple[Alter, ...] = ()
    drifts: tuple[Drift, ...] = field(default=())
    droppable: bool = True

    def __str__(self) -> str:
        return f"{self.spec.KIND}-{self.name}"


class Server:
    """A connection inside a transaction, with the verbs a life needs."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        row = connection.cursor(row_factory=dict_row).execute(render("catalog/capabilities")).fetchone()
        assert row is not None
        self.capabilities = ServerCapabilities.from_row(row)
        self.context = Context(capabilities=self.capabilities)

    def run(self, sql: str) -> None:
        self.connection.execute("SET LOCAL search_path TO public")
        if sql:
            self.connection.execute(sql)

    def apply(self, statements: list[Statement]) -> None:
        for statement in statements:
            assert statement.transactional, f"not transactional: {statement.sql}"
            self.run(statement.executable())

    def plan(self, old: Spec | None, new: Spec | None) -> list[Statement]:
        kind = kind_of((old or new).KIND)  # type: ignore[union-attr]
        return kind.plan(old, new, replace(self.context, live=self.relations(old, new)))

    def relations(self, *specs: Spec | None) -> relations.Relations:
        """What the server shows of the relations of these specs, as the applier asks for it."""
        if not (names := relations.names_of(*specs)):
            return {}
        self.connection.execute(SESSION)
        cursor = self.connection.cursor(row_factory=dict_row)
        return relations.from_rows(cursor.execute(relations.select_sql(names, self.capabilities)).fetchall())

    def catalog(self, kind_name: str, scope: Scope | None) -> Catalog:
        rows = {}
        self.connection.execute(SESSION)
        for source in kind_of(kind_name).sources:
            cursor = self.connection.cursor(row_factory=dict_row)
            rows[source] = cursor.execute(source_sql(source, scope, self.capabilities)).fetchall()
        return Catalog(rows, self.capabilities)

    def read(self, kind_name: str, identity: tuple[str, ...]) -> Spec | None:
        """The object, found both by its scope and among all; both must agree."""
        kind = kind_of(kind_name)
        scoped = kind.read(self.catalog(kind_name, kind.scope(identity))).get(identity)
        among_all = kind.read(self.catalog(kind_name, None)).get(identity)
        assert scoped == among_all
        return scoped

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What happens inside is undone."""
        self.connection.execute("SAVEPOINT aside")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK TO SAVEPOINT aside; RELEASE SAVEPOINT aside")


def imported(server: Server, kind: str, key: str) -> Spec:
    """What an import by its id alone gives: the adapter's own read of what this transaction shows."""

    class Snapshots:
        async def get(self) -> Snapshot:
            return Snapshot({kind: kind_of(kind).read(server.catalog(kind, None))}, {})

    session = Session(EngineLog(""))
    session._snapshots = Snapshots()  # type: ignore[assignment]
    found = asyncio.run(ObjectHandler(kind).read(session, Call("urn:pulumi:dev::flows::x::y", kind, key)))
    assert found is not None, key
    assert found.id == key
    return spec_type(kind).from_wire(bare(found.inputs))


def _found(server: Server, spec: Spec) -> Spec:
    found = server.read(spec.KIND, spec.identity())
    assert found is not None, f"{spec.import_id()} was created and is not found"
    return found


def _as_created(server: Server, life: LifeCycle, new: Spec, before: str) -> Spec:
    with server.aside():
        server.run(before)
        if life.droppable:
            server.apply(server.plan(life.spec, None))
        server.apply(server.plan(None, new))
        return _found(server, new)


def live(server: Server, life: LifeCycle) -> None:
    """Create, no-op, import, every alter, every drift, delete."""
    server.run(life.before)
    if not life.droppable:
        server.connection.execute("SAVEPOINT unborn")
    server.apply(server.plan(None, life.spec))
    found = _found(server, life.spec)

    assert server.plan(life.spec, life.spec) == []
    assert server.plan(found, found) == []
    assert imported(server, life.spec.KIND, life.spec.import_id()) == found
    assert type(life.spec).from_wire(life.spec.to_wire()) == life.spec
    assert type(life.spec).from_wire(found.to_wire()) == found
    if life.droppable:
        with server.aside():  # what was read is enough to make it again
            server.apply(server.plan(life.spec, None))
            assert server.read(life.spec.KIND, life.spec.identity()) is None
            server.apply(server.plan(None, found))
            assert _found(server, found) == found

    for alter in life.alters:
        _alter(server, life, alter)
    for drift in life.drifts:
        with server.aside():
            _drift(server, life, found, drift)
    if life.droppable:
        server.apply(server.plan(life.spec, None))
        assert server.read(life.spec.KIND, life.spec.identity()) is None


def values(spec: Any, path: str) -> Any:
    """What stands at a dotted path; a list where it leads through one."""
    name, _, rest = path.partition(".")
    value = getattr(spec, name)
    if not rest or value is None:
        return value
    return [values(item, rest) for item in value] if isinstance(value, tuple) else values(value, rest)


def _drift(server: Server, life: LifeCycle, found: Spec, drift: Drift) -> None:
    server.run(drift.sql)
    drifted = _found(server, life.spec)
    for path in drift.fields.split():
        assert values(drifted, path) != values(found, path), f"{drift.name}: {path}"
    statements, answer = _planned(server, drifted, found)
    assert drift.rebuild == isinstance(answer, Rebuild), f"{drift.name}: in place or rebuilt, not as expected"
    if drift.refused:
        assert drift.refused in (str(answer) if answer else _server_refuses(server, statements)), drift.name
        return
    assert not isinstance(answer, Refused), f"{drift.name}: {answer}"
    server.apply(statements)
    assert _found(server, life.spec) == found, drift.name


def _server_refuses(server: Server, statements: list[Statement]) -> str:
    """The server's words."""
    with pytest.raises(psycopg.Error) as refusal:
        server.apply(statements)
    return str(refusal.value)


def _planned(server: Server, old: Spec, new: Spec) -> tuple[list[Statement], Rebuild | Refused | None]:
    """The statements of a change, and how the kind answered if not with a plan in place."""
    try:
        return server.plan(old, new), None
    except Rebuild as rebuild:
        return [*server.plan(old, None), *server.plan(None, new)], rebuild
    except Refused as refusal:
        return [], refusal


def _alter(server: Server, life: LifeCycle, alter: Alter) -> None:
    """The result of the change must be what a fresh create of the new spec gives."""
    new = type(life.spec).from_wire(life.spec.model_copy(update=alter.change).to_wire())
    with server.aside():
        server.run(alter.before)
        statements, answer = _planned(server, life.spec, new)
        if isinstance(answer, Refused):
            assert alter.refused, f"{alter.name}: {answer}"
            assert alter.refused in answer.reason, f"{alter.name}: {answer}"
            return
        assert not alter.refused, f"{alter.name}: was not refused"
        assert alter.rebuild == isinstance(answer, Rebuild), f"{alter.name}: in place or rebuilt, not as expected"
        assert statements, f"{alter.name}: no statement"
        server.apply(statements)
        altered = _found(server, new)
        if life.droppable:
            server.connection.execute("ROLLBACK TO SAVEPOINT aside")
            assert altered == _as_created(server, life, new, alter.before), alter.name
