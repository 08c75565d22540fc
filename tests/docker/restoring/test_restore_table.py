"""One table of the live database brought back from the backups, while it is written to."""

from __future__ import annotations

import threading
import time
from datetime import datetime

import psycopg
import pytest

from components.containers.names import PROJECT_LABEL
from flowsctl.backup.tool import Moment, Target
from flowsctl.errors import FlowsError
from flowsctl.restoring.table import TableRestored, Wanted, restore_table

from .plain import Plain

pytestmark = pytest.mark.docker
WRITTEN = "INSERT INTO flows.csq VALUES ('2030-01-01Z'::timestamptz + %s * '1 s'::interval, 1, 1)"
CHANGES = (
    "CREATE TABLE flows.changes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, meter int NOT NULL, name text)"
)
SUMS = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM flows.{} t"


def silent(_text: str) -> None:
    """Nobody listens."""


def now(origin: Plain) -> datetime:
    moment: datetime = origin.sql("SELECT clock_timestamp()")[0][0]
    time.sleep(0.2)
    return moment


def back(origin: Plain, table: str, moment: datetime, **more: object) -> TableRestored:
    target = Target(Moment.TIME, time=moment)
    wanted = Wanted(table, **more)  # type: ignore[arg-type]
    return restore_table(origin.host, origin.origin, origin.conninfo(), wanted, target, silent)


@pytest.fixture(autouse=True)
def no_scratch_is_left(origin: Plain) -> object:
    before = set(origin.host.found({PROJECT_LABEL: origin.names.project}))
    yield
    assert set(origin.host.found({PROJECT_LABEL: origin.names.project})) == before


def test_a_truncated_hypertable_comes_back_while_it_is_written_to(origin: Plain) -> None:
    compressed = "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed AND hypertable_name = 'csq'"
    if origin.has_community():
        assert origin.sql(compressed)[0][0] >= 5
    before = origin.sql(SUMS.format("csq"))
    moment = now(origin)
    origin.sql("TRUNCATE flows.csq")
    origin.archived()
    stop, longest = threading.Event(), [0.0]

    def write() -> None:
        """A writer that never stops: rows of a time of its own, so that they can be told apart."""
        with origin.connect() as connection:
            number = 0
            while not stop.is_set():
                began = time.monotonic()
                connection.execute(
                    "INSERT INTO flows.csq VALUES ('2030-01-01Z'::timestamptz + %s * '1 s'::interval, 1, 1)", [number]
                )
                longest[0] = max(longest[0], time.monotonic() - began)
                number += 1
                time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = back(origin, "flows.csq", moment)
    finally:
        stop.set()
        writer.join()
    assert (found.brought.rows, found.brought.new, found.brought.written) == (before[0][0],) * 3
    assert found.brought.live_checksum == found.brought.checksum
    origin.sql("DELETE FROM flows.csq WHERE timestamp >= '2030-01-01Z'")
    assert origin.sql(SUMS.format("csq")) == before
    assert longest[0] < 5, "a writer waited that long"


def test_a_dropped_table_comes_back_where_it_was_made_again(origin: Plain) -> None:
    before = origin.sql(SUMS.format("changes"))
    origin.sql("UPDATE flows.meters SET name = name || '!' WHERE id <= 3")
    before = origin.sql(SUMS.format("changes"))
    moment = now(origin)
    origin.sql("DROP TABLE flows.changes")
    origin.archived()
    with pytest.raises(FlowsError, match=r"flows\.changes is not in the live database"):
        back(origin, "flows.changes", moment)
    origin.sql(CHANGES)
    assert back(origin, "flows.changes", moment).brought.new == before[0][0]
    assert origin.sql(SUMS.format("changes")) == before
    origin.sql("UPDATE flows.meters SET name = name || '!' WHERE id = 4")
    assert origin.sql("SELECT count(*), count(DISTINCT id) FROM flows.changes") == [(before[0][0] + 1,) * 2]


def test_a_wrong_update_is_put_right_without_new_history(origin: Plain) -> None:
    before, moment = origin.sql(SUMS.format("meters")), now(origin)
    origin.sql("UPDATE flows.meters SET name = 'wrong'")
    origin.archived()
    history = origin.sql(SUMS.format("changes"))
    with pytest.raises(FlowsError, match=r"40 rows of flows\.meters have changed since"):
        back(origin, "flows.meters", moment)
    tried = back(origin, "flows.meters", moment, on_conflict="replace", dry_run=True)
    assert (tried.brought.differing, tried.brought.written) == (40, 40)
    assert origin.sql("SELECT count(*) FROM flows.meters WHERE name = 'wrong'") == [(40,)]
    some = back(origin, "flows.meters", moment, on_conflict="replace", where="id <= 10")
    assert some.brought.written == 10
    assert back(origin, "flows.meters", moment, on_conflict="replace").brought.written == 30
    assert origin.sql(SUMS.format("meters")) == before
    assert origin.sql(SUMS.format("changes")) == history


def test_a_restore_that_fails_leaves_no_scratch_and_no_rows(origin: Plain) -> None:
    before, moment = origin.sql(SUMS.format("csq")), now(origin)
    origin.sql("INSERT INTO flows.csq VALUES ('2026-05-01Z', 1, 1)")
    origin.archived()
    with pytest.raises((psycopg.Error, FlowsError), match="no_such_column"):
        back(origin, "flows.csq", moment, where="no_such_column = 1")
    origin.sql("DELETE FROM flows.csq WHERE timestamp = '2026-05-01Z'")
    assert origin.sql(SUMS.format("csq")) == before
