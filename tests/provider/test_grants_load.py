"""400 relations x 12 roles of grants, 32 at once, again and again: no error, no moment without a right that stays, the
exact set in the end, nothing left after the deletes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.planner import plan_database
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.grant import DefaultRights, Grant, ObjectRights
from pulumi_timescaledb.whole import Whole

from . import native
from .engine import PATIENCE, Engine, settings_of, wipe

pytestmark = [pytest.mark.server, pytest.mark.load]
AT_ONCE = 32
EVERYTHING = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
"""ALL on a table, but for MAINTAIN, which came with PostgreSQL 17."""
EVEN, ODD = ("select", "insert"), ("select", "update", "delete")
"""What the runs give in turn; SELECT stays."""


class Load:
    """Relations, roles and the grants between them. Schemas share the relations evenly."""

    def __init__(self, relations: int, roles: int, schemas: int) -> None:
        self.relations = [(f"s{number % schemas}", f"r{number}") for number in range(relations)]
        self.roles = [f"role{number}" for number in range(roles)]
        self.schemas = [f"s{number}" for number in range(schemas)]

    def sql(self) -> str:
        """Everything but the grants."""
        made = [f"CREATE ROLE {role} LOGIN" for role in [*self.roles, "maker"]]
        made += [f"CREATE SCHEMA {schema}" for schema in self.schemas]
        made += [f"GRANT CREATE ON SCHEMA {schema} TO maker" for schema in self.schemas]
        made += [f"CREATE TABLE {schema}.{name} (x int)" for schema, name in self.relations]
        return ";\n".join(made)

    def grants(self, privileges: tuple[str, ...]) -> list[Grant]:
        """One per role and schema."""
        return [
            Grant(
                role=role,
                schema=schema,
                privileges=("usage",),
                objects=tuple(
                    ObjectRights(name=name, privileges=privileges) for home, name in self.relations if home == schema
                ),
                defaults=(DefaultRights(creator="maker", type="tables", privileges=EVERYTHING),),
            )
            for role in self.roles
            for schema in self.schemas
        ]


@contextmanager
def reading(load: Load, connect: Callable[[str], Any], seen: list[str]) -> Iterator[list[int]]:
    """A reader that asks every relation in turn, as every role in turn; what is refused goes to `seen`."""
    counted, over = [0], threading.Event()

    def read() -> None:
        while not over.is_set():
            for number, role in enumerate(load.roles):
                with connect(role) as connection:
                    for schema, name in load.relations[number :: len(load.roles)]:
                        try:
                            connection.execute(f"SELECT x FROM {schema}.{name}".encode())
                            counted[0] += 1
                        except psycopg.Error as error:
                            seen.append(f"{role}: {error}")
                        if over.is_set():
                            return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield counted
    finally:
        over.set()
        thread.join(PATIENCE)


def at_once(engine: Engine, method: str, calls: list[dict[str, Any]]) -> None:
    """The calls, AT_ONCE at a time, as the engine makes them under --parallel 32."""
    places = threading.Semaphore(AT_ONCE)
    under_way = []
    for fields in calls:
        places.acquire()
        call = engine.begin(method, **fields)
        call.add_done_callback(lambda _: places.release())
        under_way.append(call)
    for call in under_way:
        call.result(PATIENCE)


def fields(engine: Engine, new: Spec, old: Spec | None = None) -> dict[str, Any]:
    """Of an Update, or of a Delete where there is no `old`."""
    made = engine.creation(new)
    inputs = made.pop("properties")
    if old is None:
        return {**made, "id": new.import_id(), "old_inputs": inputs, "properties": inputs}
    before = engine.creation(old)["properties"]
    return {**made, "id": new.import_id(), "old_inputs": before, "olds": before, "news": inputs}


def planned(settings: dict[str, Any], grants: list[Grant]) -> list[str]:
    """Steps of a second preview."""

    async def plan() -> list[str]:
        database = Database(ConnectionSettings.from_wire(settings))
        try:
            found = await plan_database(database, Whole(grants), "flows/dev")
            return [step.subject for step in found.plan.steps] + [str(each) for each in found.plan.refusals]
        finally:
            await database.close()

    return asyncio.run(plan())


def rights(connection: Any) -> list[tuple[Any, ...]]:
    """(role, privilege, on how many relations), and how many default rights there are."""
    found = connection.execute(
        "SELECT x.grantee::regrole::text, lower(x.privilege_type), count(*) FROM pg_class c, aclexplode(c.relacl) x "
        "WHERE c.relname ~ '^r[0-9]+$' AND x.grantee <> c.relowner GROUP BY 1, 2 UNION ALL "
        "SELECT 'defaults', '', count(*) FROM pg_default_acl d, aclexplode(d.defaclacl) x "
        "WHERE x.grantee <> d.defaclrole"
    ).fetchall()
    return sorted(tuple(row) for row in found)


def expected(load: Load, privileges: tuple[str, ...]) -> list[tuple[Any, ...]]:
    many = len(load.roles) * len(load.schemas) * len(EVERYTHING)
    each = [(role, privilege, len(load.relations)) for role in load.roles for privilege in privileges]
    return sorted([*each, ("defaults", "", many)])


def endure(load: Load, settings: dict[str, Any], connect: Callable[[str], Any], runs: int) -> None:
    """The runs, then the deletes."""
    refused: list[str] = []
    engine = Engine(**settings)
    try:
        with connect("postgres") as admin:
            before = load.grants(EVEN)
            at_once(engine, "Create", [engine.creation(grant) for grant in before])
            assert rights(admin) == expected(load, EVEN)
            with reading(load, connect, refused) as asked:
                for run in range(1, runs):
                    privileges = ODD if run % 2 else EVEN
                    after = load.grants(privileges)
                    at_once(
                        engine, "Update", [fields(engine, new, old) for new, old in zip(after, before, strict=True)]
                    )
                    assert rights(admin) == expected(load, privileges)
                    assert planned(settings, after) == []
                    before = after
            assert refused == []
            assert asked[0] > len(load.roles)
            at_once(engine, "Delete", [fields(engine, grant) for grant in before])
            assert rights(admin) == [("defaults", "", 0)]
    finally:
        engine.close()


@pytest.mark.xdist_group("native")
@pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT)
def test_on_a_server_of_many_processes() -> None:
    """The size that was asked for: 400 relations, 12 roles, 20 runs."""
    load = Load(relations=400, roles=12, schemas=8)
    with native.running() as dsn:
        parts = {**conninfo_to_dict(dsn)}

        def connect(user: str) -> Any:
            return psycopg.connect(**{**parts, "user": user}, autocommit=True)

        with connect("postgres") as admin:
            admin.execute(load.sql().encode())
        where = {"host": parts["host"], "port": int(str(parts["port"])), "user": "postgres", "database": "postgres"}
        started = time.perf_counter()
        endure(load, {**where, "maxConnections": AT_ONCE, "sslmode": "disable"}, connect, runs=20)
        print(f"20 runs of 96 grants: {time.perf_counter() - started:.1f} s")


def test_on_the_embedded_server(server: EmbeddedServer) -> None:
    """Smaller: one backend serves everybody there."""
    wipe(server)
    load = Load(relations=60, roles=4, schemas=2)

    def connect(user: str) -> Any:
        return psycopg.connect(server.dsn(user), autocommit=True, prepare_threshold=None)

    with connect("postgres") as admin:
        admin.execute(load.sql().encode())
    endure(load, settings_of(server, user="postgres"), connect, runs=3)
    wipe(server)


@pytest.mark.xdist_group("native")
@pytest.mark.skipif(native.programs() is None, reason=native.WHY_NOT)
def test_waiting_for_ones_own_kind_has_no_lock_timeout() -> None:
    """Sixteen roles in one schema, each of which takes longer than a lock may: all get their turn."""
    load = Load(relations=1, roles=16, schemas=1)
    with native.running() as dsn:
        parts = conninfo_to_dict(dsn)
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(load.sql().encode())
            where = {"host": parts["host"], "port": int(str(parts["port"])), "user": "postgres", "database": "postgres"}
            engine = Engine(**where, maxConnections=AT_ONCE, sslmode="disable", lockTimeout=1)
            try:
                at_once(engine, "Create", [engine.creation(grant) for grant in load.grants(EVEN)])
                assert rights(admin) == expected(load, EVEN)
            finally:
                engine.close()
