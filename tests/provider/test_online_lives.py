"""The lives of what is changed while others work on, on a server of many processes: through the real applier, step by
step. What a change leads to must be what a fresh create of the new declaration gives."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from pulumi_timescaledb import relations
from pulumi_timescaledb.apply import Applier
from pulumi_timescaledb.errors import Declined, Unreachable
from pulumi_timescaledb.finding import read
from pulumi_timescaledb.kinds import kind_of
from pulumi_timescaledb.plan import Plan
from pulumi_timescaledb.planner import plan_database
from pulumi_timescaledb.recording import Caller
from pulumi_timescaledb.sizes import hazards
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy
from pulumi_timescaledb.specs.hypertable import HashDimension, Hypertable
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.schema import Schema
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.whole import Whole

from . import native
from .lifecycle import Alter, LifeCycle
from .test_lifecycle import LIVES

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("native"),
    pytest.mark.skipif(not native.has_timescaledb(), reason=native.WHY_NO_TIMESCALEDB),
]
CALLER = Caller("dev", "urn:life")
KINDS = ("Table", "ForeignKey", "Index", "Hypertable", "Columnstore")
LIVES_HERE = [life for life in LIVES if life.spec.KIND in KINDS and "EXTENSION" not in life.before]
EMPTY = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|_timescaledb_|timescaledb_)'
                AND nspname NOT IN ('information_schema', 'public') LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
  FOR name IN SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user LOOP
    EXECUTE format('DROP OWNED BY %I CASCADE', name);
    EXECUTE format('DROP ROLE %I', name);
  END LOOP;
END $$
"""


@pytest.fixture(scope="module")
def native_dsn() -> Iterator[str]:
    with native.running(timescaledb=True) as dsn:
        yield dsn


def _run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for each in statements:
            if each:
                connection.execute(each.encode())


async def _made(applier: Applier, old: Spec | None, new: Spec) -> Spec:
    kind = kind_of(new.KIND)
    await applier.apply(kind, old, new, CALLER)
    async with applier.database.connection() as connection:
        found = await read(connection, kind, new, await applier.context())
    assert found is not None
    return found


@pytest.fixture
def in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even an empty relation is changed as one that others use."""
    real = relations.from_rows

    def used(rows: Any) -> relations.Relations:
        return {name: replace(each, in_use=True) for name, each in real(rows).items()}

    monkeypatch.setattr(relations, "from_rows", used)


@pytest.mark.parametrize("life", LIVES_HERE, ids=str)
@pytest.mark.usefixtures("in_use")
def test_every_change_in_steps(life: LifeCycle, native_dsn: str) -> None:
    for alter in life.alters:
        if not alter.refused:
            _changed(native_dsn, life, alter)


def _changed(dsn: str, life: LifeCycle, alter: Alter) -> None:
    new = type(life.spec).from_wire(life.spec.model_copy(update=alter.change).to_wire())
    found = []
    for fresh in (False, True) if life.droppable else (False,):
        _run(dsn, EMPTY, life.before)
        native.on(dsn, lambda applier: _made(applier, None, life.spec))
        _run(dsn, alter.before)
        if fresh:
            native.on(dsn, lambda applier: applier.delete(kind_of(life.spec.KIND), life.spec, CALLER), disposable=True)
        old = None if fresh else life.spec
        found.append(native.on(dsn, lambda applier: _made(applier, old, new), disposable=True))  # noqa: B023
        half = "SELECT count(*) FROM pulumi_timescaledb.ledger WHERE step IS NOT NULL"
        assert native.value(dsn, half) == 0, alter.name
    assert found[0] == found[-1], alter.name
    left = "SELECT count(*) FROM pg_class WHERE relname ~ '^pulumi_timescaledb_new'"
    assert native.value(dsn, left) == 0, alter.name


SERIES = Table.from_wire(
    {
        "schema": "life",
        "name": "series",
        "columns": [{"name": "at", "type": "timestamptz", "notNull": True}, {"name": "value", "type": "real"}],
    }
)
HYPERTABLE = Hypertable(schema="life", relation="series", time_column="at", chunk_interval="1 day")
STORE = Columnstore(schema="life", relation="series", segment_by=(), order_by=(OrderBy(column="at"),))
WIDER = SERIES.model_copy(update={"columns": (SERIES.columns[0], Column(name="value", type="double precision"))})


async def _plan(applier: Applier, *new: Spec) -> Plan:
    return (await plan_database(applier.database, Whole([Schema(name="life"), *new]), "dev")).plan


def test_a_type_waits_for_compressed_chunks(native_dsn: str) -> None:
    """Refused by the plan already, with the way out, and possible once the chunks are rows again."""
    _run(native_dsn, EMPTY)
    for spec in (Schema(name="life"), SERIES, HYPERTABLE, STORE):
        native.on(native_dsn, lambda applier: applier.apply(kind_of(spec.KIND), None, spec, CALLER))  # noqa: B023
    rows = "SELECT now() - g * interval '1 day', g FROM generate_series(1, 3) g"
    _run(native_dsn, f"INSERT INTO life.series {rows}", "SELECT compress_chunk(c) FROM show_chunks('life.series') c")
    plan = native.on(native_dsn, lambda applier: _plan(applier, WIDER, HYPERTABLE, STORE))
    (refusal,) = plan.refusals
    assert "life.series has compressed chunks, so the type of column" in str(refusal)
    assert "decompress_chunk" in str(refusal)
    with pytest.raises(Declined, match="has compressed chunks"):
        native.on(native_dsn, lambda applier: _made(applier, SERIES, WIDER))
    _run(native_dsn, "SELECT decompress_chunk(c, true) FROM show_chunks('life.series') c")
    assert native.on(native_dsn, lambda applier: _made(applier, SERIES, WIDER)) == WIDER.model_copy(
        update={"owner": "postgres"}
    )


def test_what_is_converted_back_says_its_bytes(native_dsn: str) -> None:
    _run(native_dsn, EMPTY)
    for spec in (Schema(name="life"), SERIES, HYPERTABLE, STORE):
        native.on(native_dsn, lambda applier: applier.apply(kind_of(spec.KIND), None, spec, CALLER))  # noqa: B023
    rows = "SELECT now() - g * interval '1 minute', g FROM generate_series(1, 20000) g"
    _run(native_dsn, f"INSERT INTO life.series {rows}", "SELECT compress_chunk(c) FROM show_chunks('life.series') c")
    plan = native.on(native_dsn, lambda applier: _plan(applier, SERIES, HYPERTABLE))
    (step,) = plan.steps
    told = [note for each in step.statements for note in hazards(each, step.size)]
    assert len(told) == 1
    assert re.search(
        r"written back as rows.* \(20,000 rows, \d+ kB, 15 chunks, 15 of them compressed, [\d,]+ kB as rows\)", told[0]
    ), told
    assert step.size is not None
    assert step.size.as_rows > step.size.bytes


def test_a_filled_table_that_becomes_a_hypertable_says_its_size(native_dsn: str) -> None:
    _run(native_dsn, EMPTY)
    for spec in (Schema(name="life"), SERIES):
        native.on(native_dsn, lambda applier: applier.apply(kind_of(spec.KIND), None, spec, CALLER))  # noqa: B023
    _run(native_dsn, "INSERT INTO life.series SELECT now() - g * interval '1 day', g FROM generate_series(1, 30) g")
    index = Index(schema="life", relation="series", name="by_value", keys=(IndexKey(column="value"),))
    plan = native.on(native_dsn, lambda applier: _plan(applier, SERIES, HYPERTABLE, index))
    steps = {step.spec.KIND: step for step in plan.steps}
    told = hazards(steps["Hypertable"].statements[0], steps["Hypertable"].size)
    assert told[0].startswith("table rewrite: rows that the table already holds are moved into chunks")
    assert "(30 rows, " in told[0]
    assert "transaction_per_chunk" in steps["Index"].statements[0].sql
    for step in plan.steps:
        done = native.on(native_dsn, lambda a: a.apply(kind_of(step.spec.KIND), None, step.spec, CALLER))  # noqa: B023
        assert tuple(each.sql for each in done) == tuple(each.sql for each in step.statements)
    assert native.value(native_dsn, "SELECT count(*) FROM life.series") == 30
    plan = native.on(native_dsn, lambda applier: _plan(applier, SERIES, HYPERTABLE, index))
    assert plan.steps == []
    dimension = HYPERTABLE.model_copy(update={"hash_dimensions": (HashDimension(column="value", partitions=2),)})
    plan = native.on(native_dsn, lambda applier: _plan(applier, SERIES, dimension, index))
    assert "has chunks, so no dimension by" in str(plan.refusals[0])


def test_a_build_by_chunks_that_breaks_off_is_made_again(native_dsn: str) -> None:
    """The connection is cut while the build waits for a chunk: the hypertable's index is left invalid."""
    _run(native_dsn, EMPTY)
    for spec in (Schema(name="life"), SERIES, HYPERTABLE):
        native.on(native_dsn, lambda applier: applier.apply(kind_of(spec.KIND), None, spec, CALLER))  # noqa: B023
    _run(native_dsn, "INSERT INTO life.series SELECT now() - g * interval '1 day', g FROM generate_series(1, 5) g")
    index = Index(schema="life", relation="series", name="by_value", keys=(IndexKey(column="value"),))
    failed: list[BaseException] = []

    def build() -> None:
        try:
            native.on(native_dsn, lambda applier: _made(applier, None, index))
        except BaseException as error:
            failed.append(error)

    with psycopg.connect(native_dsn) as writer:
        chunk = native.value(native_dsn, "SELECT max(c::text) FROM show_chunks('life.series') c")
        writer.execute(f"LOCK TABLE {chunk} IN ROW EXCLUSIVE MODE".encode())
        builder = threading.Thread(target=build)
        builder.start()
        waits = "SELECT pid FROM pg_stat_activity WHERE query ~ 'transaction_per_chunk' AND wait_event_type = 'Lock'"
        end = time.monotonic() + 20
        while (pid := native.value(native_dsn, waits)) is None and time.monotonic() < end:
            time.sleep(0.02)
        _run(native_dsn, f"SELECT pg_terminate_backend({pid})")
        builder.join(30)
    assert isinstance(failed[0], Unreachable)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'life.by_value'::regclass"
    assert native.value(native_dsn, valid) is False
    made = native.on(native_dsn, lambda applier: applier.apply(kind_of("Index"), None, index, CALLER))
    assert [each.sql.split(' "')[0] for each in made] == ["DROP INDEX", "CREATE INDEX"]
    assert native.value(native_dsn, valid) is True
    on_chunks = "SELECT count(*) FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef ~ 'value'"
    assert native.value(native_dsn, on_chunks) == 5


def test_an_index_of_an_aggregate(native_dsn: str) -> None:
    """By chunks too, and beside the one it replaces; what broke off is found where it really stands."""
    _run(native_dsn, EMPTY)
    for spec in (Schema(name="life"), SERIES, HYPERTABLE):
        native.on(native_dsn, lambda applier: applier.apply(kind_of(spec.KIND), None, spec, CALLER))  # noqa: B023
    _run(
        native_dsn,
        "INSERT INTO life.series SELECT now() - g * interval '1 day', g FROM generate_series(1, 50) g",
        "CREATE MATERIALIZED VIEW life.daily WITH (timescaledb.continuous) AS "
        "SELECT time_bucket('1 day', at) AS day, sum(value) AS total, max(value) AS most FROM life.series GROUP BY 1",
    )
    index = Index(schema="life", relation="daily", name="by_total", keys=(IndexKey(column="total"),), comment="x")
    other = index.model_copy(update={"keys": (IndexKey(column="most"), IndexKey(column="total"))})
    assert native.on(native_dsn, lambda applier: _made(applier, None, index)) == index
    left = native.on(native_dsn, lambda applier: applier.apply(kind_of("Index"), index, other, CALLER))[0]
    assert "transaction_per_chunk" in left.sql
    name = left.sql.split('"')[1]
    _run(native_dsn, f'CREATE INDEX "{name}" ON life.daily (total)')
    renamed = other.model_copy(update={"name": "by_most", "previously": "by_total"})
    assert native.on(native_dsn, lambda applier: _made(applier, other, renamed)).comment == "x"
    native.on(native_dsn, lambda applier: applier.apply(kind_of("Index"), renamed, index, CALLER))
    native.on(native_dsn, lambda applier: applier.delete(kind_of("Index"), index, CALLER))
    ours = "SELECT count(*) FROM pg_class WHERE relname ~ 'by_total|by_most|pulumi_timescaledb_new'"
    assert native.value(native_dsn, ours) == 0
