"""Plans of hypertables and their policies where they depend on the other declarations or on the server's version."""

from __future__ import annotations

import pytest

from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy
from pulumi_timescaledb.specs.continuous_aggregate import ContinuousAggregate
from pulumi_timescaledb.specs.hypertable import Hypertable
from pulumi_timescaledb.specs.job import Job
from pulumi_timescaledb.specs.retention_policy import RetentionPolicy
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.statement import Refused
from pulumi_timescaledb.whole import Whole

TABLE = Table(schema="s", name="t", columns=(Column(name="at", type="timestamptz"),))
HYPERTABLE = Hypertable(schema="s", relation="t", time_column="at")


def test_a_hypertable_goes_only_with_its_table() -> None:
    kind = kind_of("Hypertable")
    assert kind.plan(HYPERTABLE, None, Context(whole=Whole())) == []
    for whole in (None, Whole([TABLE])):
        with pytest.raises(Refused, match="no way back"):
            kind.plan(HYPERTABLE, None, Context(whole=whole))


@pytest.mark.parametrize(
    ("whole", "start"),
    [
        (Whole([TABLE]), 'ALTER TABLE "s"."t" SET'),
        (Whole([ContinuousAggregate(schema="s", name="t", query="SELECT 1")]), 'ALTER MATERIALIZED VIEW "s"."t" SET'),
        (Whole(), "DO "),
        (None, "DO "),
    ],
)
def test_a_columnstore_is_set_on_what_the_declarations_say(whole: Whole | None, start: str) -> None:
    store = Columnstore(schema="s", relation="t", segment_by=(), order_by=(OrderBy(column="at"),))
    assert kind_of("Columnstore").plan(None, store, Context(whole=whole))[0].sql.startswith(start)


def test_only_a_harsher_retention_is_a_loss() -> None:
    kind, year = kind_of("RetentionPolicy"), RetentionPolicy(schema="s", relation="t", drop_after="1 year")
    month, paused = (year.model_copy(update=each) for each in ({"drop_after": "1 month"}, {"enabled": False}))
    for old, new in ((None, year), (year, month), (paused, year)):
        (statement,) = kind.plan(old, new, Context())
        (loss,) = statement.hazards
        assert (loss.code, loss.allow) == ("data_loss", "retention:s.t")
        assert "range_end" in loss.probe
    for old, new in ((month, year), (year, paused), (year, year.model_copy(update={"schedule_interval": "1 day"}))):
        (statement,) = kind.plan(old, new, Context())
        assert statement.hazards == ()


@pytest.mark.parametrize(
    ("version", "table"), [((2, 23, 0), "_timescaledb_config"), ((2, 25, 0), "_timescaledb_catalog")]
)
def test_the_jobs_table_moved(version: tuple[int, ...], table: str) -> None:
    policy = RetentionPolicy(schema="s", relation="t", drop_after="1 year")
    context = Context(ServerCapabilities(timescaledb=version))
    (statement,) = kind_of("RetentionPolicy").plan(policy, policy.model_copy(update={"enabled": False}), context)
    assert f"{table}.bgw_job" in statement.sql


def test_chunk_intervals_and_moments_have_one_form() -> None:
    assert (
        Hypertable(schema="s", relation="t", time_column="at", chunk_interval="36 hours").chunk_interval
        == "1 day 12 hours"
    )
    assert Hypertable(schema="s", relation="t", time_column="at", chunk_interval="1 month").chunk_interval == "30 days"
    job = Job(schema="s", procedure="p", schedule_interval="1 day", initial_start="2026-01-02T03:00+01:00")
    assert job.initial_start == "2026-01-02T02:00:00+00:00"
    with pytest.raises(ValueError, match="offset"):
        Job(schema="s", procedure="p", schedule_interval="1 day", initial_start="2026-01-02T03:00")


def test_what_belongs_to_a_policy_needs_one() -> None:
    with pytest.raises(ValueError, match="needs after"):
        Columnstore(schema="s", relation="t", segment_by=(), order_by=(), schedule_interval="1 hour")
