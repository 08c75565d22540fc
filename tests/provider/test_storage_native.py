"""What of a table's storage reaches the chunks of a hypertable, on a newer TimescaleDB than the embedded one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pulumi_timescaledb.specs.table import Exclusion, ExclusionElement, Table
from pulumi_timescaledb.statement import Refused

from . import native
from .kinds.table_series_cases import COLUMNSTORE, HYPERTABLE, SERIES
from .lifecycle import Alter, Drift, LifeCycle, Server, live

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]
PARAMETERS = {"fillfactor": "70", "autovacuum_enabled": "false", "toast.autovacuum_enabled": "false"}
APART = Exclusion(
    name="apart",
    elements=(ExclusionElement(column="at", operator="="), ExclusionElement(column="id", operator="=")),
    method="btree",
)
CHUNKS = """
SELECT array_agg(DISTINCT c.relpersistence::text), array_agg(DISTINCT coalesce(c.reloptions, '{}')::text), count(*)
FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'life.series'::regclass
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with native.running(timescaledb=True) as dsn, psycopg.connect(dsn, prepare_threshold=None) as connection:
        yield Server(connection)
        connection.rollback()


def changed(server: Server, **change: object) -> Table:
    """The table with other values, read back."""
    old = server.read("Table", SERIES.identity())
    assert isinstance(old, Table)
    server.apply(server.plan(old, old.model_copy(update=change)))
    found = server.read("Table", SERIES.identity())
    assert isinstance(found, Table)
    return found


def chunks(server: Server) -> tuple[list[str], list[str], int]:
    """(persistences, storage parameters, number) of the chunks."""
    row = server.connection.execute(CHUNKS.encode()).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


@pytest.mark.parametrize("made", [HYPERTABLE, COLUMNSTORE], ids=["rows", "columnstore"])
def test_chunks_follow_their_hypertable(server: Server, made: str) -> None:
    server.run("CREATE SCHEMA life")
    server.apply(server.plan(None, SERIES))
    server.run(made)
    assert changed(server, parameters=PARAMETERS).parameters.keys() == {"fillfactor", "autovacuum_enabled"}
    assert chunks(server) == (["p"], ["{fillfactor=70,autovacuum_enabled=false}"], 2)
    server.run("INSERT INTO life.series VALUES ('2026-01-01', 1, 3)")
    assert chunks(server) == (["p"], ["{fillfactor=70,autovacuum_enabled=false}"], 3)
    assert changed(server, unlogged=True, parameters={}).unlogged
    server.run("INSERT INTO life.series VALUES ('2026-06-01', 1, 3)")
    assert chunks(server) == (["u"], ["{}"], 4)
    assert not changed(server, unlogged=False).unlogged
    assert chunks(server) == (["p"], ["{}"], 4)


@pytest.mark.parametrize("made", [HYPERTABLE, COLUMNSTORE], ids=["rows", "columnstore"])
def test_the_life_of_a_hypertables_storage(server: Server, made: str) -> None:
    live(
        server,
        LifeCycle(
            "storage",
            SERIES,
            before="CREATE SCHEMA life; CREATE ROLE one; CREATE ROLE two",
            alters=(
                Alter("unlogged", {"unlogged": True}, before=made),
                Alter("set", {"parameters": PARAMETERS}, before=made),
            ),
            drifts=(
                Drift("unlogged", made + "ALTER TABLE life.series SET UNLOGGED", "unlogged"),
                Drift("parameters", made + "ALTER TABLE life.series SET (fillfactor = 50)", "parameters"),
            ),
        ),
    )


def test_an_exclusion_of_a_hypertable(server: Server) -> None:
    """Every chunk gets it. Beside a columnstore the server takes it and does not check what is converted: we refuse."""
    adding = "ALTER TABLE life.series ADD CONSTRAINT more EXCLUDE (at WITH =, value WITH =) WHERE (id > 1)"
    live(
        server,
        LifeCycle(
            "exclusion",
            SERIES,
            before="CREATE SCHEMA life; CREATE ROLE one; CREATE ROLE two",
            alters=(Alter("exclusion", {"exclusions": (APART,)}, before=HYPERTABLE),),
            drifts=(Drift("exclusion", HYPERTABLE + adding, "exclusions"),),
        ),
    )
    server.apply(server.plan(None, SERIES))
    server.run(COLUMNSTORE)
    with pytest.raises(Refused, match="converted chunks"):
        changed(server, exclusions=(APART,))
    server.run("ALTER TABLE life.series DROP CONSTRAINT series_key")
    server.run("ALTER TABLE life.series ADD EXCLUDE (at WITH =, id WITH =)")
    server.run("INSERT INTO life.series VALUES ('2024-01-01', 1, 1)")  # what is there already, in a converted chunk


def test_an_exclusion_needs_the_time_column(server: Server) -> None:
    server.run("CREATE SCHEMA life")
    server.apply(server.plan(None, SERIES))
    server.run(HYPERTABLE)
    with pytest.raises(psycopg.Error, match='without the column "at"'), server.connection.transaction():
        changed(server, exclusions=(APART.model_copy(update={"elements": APART.elements[1:]}),))
