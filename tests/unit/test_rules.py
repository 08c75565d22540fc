"""Each rule: what it refuses, and the same declarations made right."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pulumi_timescaledb import rules, specs
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.manifest import violations
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

CURRENT = ServerCapabilities()
APACHE = ServerCapabilities(community=False)
COLUMNS = ({"name": "at", "type": "timestamptz", "notNull": True}, {"name": "id", "type": "integer"})


def _table(name: str = "reading", **more: Any) -> Any:
    return specs.Table.from_wire({"schema": "flows", "name": name, "columns": COLUMNS, **more})


def _hypertable(name: str = "reading", **more: Any) -> Any:
    return specs.Hypertable.from_wire({"schema": "flows", "relation": name, "timeColumn": "at", **more})


def _aggregate(source: str = "reading", name: str = "daily", **more: Any) -> Any:
    query = f"SELECT time_bucket('1 day', at) AS day FROM flows.{source} GROUP BY 1"
    return specs.ContinuousAggregate.from_wire({"schema": "flows", "name": name, "query": query, **more})


def _refresh(start: str | None, name: str = "daily") -> Any:
    return specs.RefreshPolicy(
        schema="flows", relation=name, start_offset=start, end_offset="1 hour", schedule_interval="1 hour"
    )


def _retention(after: str, name: str = "reading") -> Any:
    return specs.RetentionPolicy(schema="flows", relation=name, drop_after=after)


def _key(target: str) -> Any:
    return specs.ForeignKey(
        schema="flows",
        relation="reading",
        name="fk",
        columns=("id",),
        target_schema="flows",
        target=target,
        target_columns=("id",),
    )


def _index(*columns: str, unique: bool = True) -> Any:
    keys = tuple({"column": column} for column in columns)
    return specs.Index.from_wire(
        {"schema": "flows", "relation": "reading", "name": "reading_key", "keys": keys, "unique": unique}
    )


def _column_grant(relation: str) -> Any:
    rights = {"name": relation, "privileges": ["select"], "columns": ["id"]}
    return specs.Grant.from_wire({"role": "reader", "schema": "flows", "objects": [rights]})


STORE = specs.Columnstore(schema="flows", relation="reading", segment_by=(), order_by=({"column": "at"},))
SECURED = _table(rowLevelSecurity=True)
EXCLUSION: dict[str, Any] = {"name": "apart", "method": "btree", "elements": [{"column": "at", "operator": "="}]}
PRIMARY: dict[str, Any] = {"primaryKey": {"name": "pk", "columns": ["id"]}}
SOUND_PRIMARY: dict[str, Any] = {"primaryKey": {"name": "pk", "columns": ["id", "at"]}}


@dataclass(frozen=True)
class Case:
    rule: str
    bad: tuple[Spec, ...]
    named: tuple[str, ...]
    """What the fault must name."""
    good: tuple[Spec, ...]
    capabilities: ServerCapabilities = CURRENT
    good_capabilities: ServerCapabilities = CURRENT


CASES = [
    Case(
        "column_rights_and_columnstore",
        (_table(), _hypertable(), STORE, _column_grant("reading")),
        ("Grant reader.flows", "Columnstore flows.reading", "TimescaleDB 2.28.3", "security_barrier view", "2.29"),
        (_table(), _hypertable(), STORE, _table("other"), _column_grant("other")),
        capabilities=replace(CURRENT, timescaledb=(2, 28, 3)),
        good_capabilities=replace(CURRENT, timescaledb=(2, 28, 3)),
    ),
    Case(
        "column_rights_and_columnstore",
        (_table(), _hypertable(), STORE, _column_grant("reading")),
        ("TimescaleDB 2.23.0",),
        (_table(), _hypertable(), STORE, _column_grant("reading")),
        good_capabilities=replace(CURRENT, timescaledb=(2, 29, 0)),
    ),
    Case(
        "community_features",
        (_table(), _hypertable(), STORE),
        ("Columnstore flows.reading", "Apache edition", "Community edition"),
        (_table(), _hypertable(), STORE),
        capabilities=APACHE,
    ),
    Case(
        "community_features",
        (_table(), _hypertable(), _retention("1 year")),
        ("RetentionPolicy flows.reading",),
        (_table(), _hypertable()),
        capabilities=APACHE,
        good_capabilities=APACHE,
    ),
    Case(
        "community_features",
        (
            specs.Extension(name="timescaledb", edition="community"),
            _table(),
            _hypertable(),
            STORE,
            _retention("1 year"),
        ),
        ("edition community", "Columnstore flows.reading, RetentionPolicy flows.reading", "edition to apache"),
        (specs.Extension(name="timescaledb", edition="apache"), _table(), _hypertable()),
        capabilities=APACHE,
        good_capabilities=APACHE,
    ),
    Case(
        "community_features",
        (specs.Extension(name="timescaledb", edition="apache"), _table(), _hypertable()),
        ("edition apache", "runs the Community edition", "Set the edition to community"),
        (specs.Extension(name="timescaledb", edition="community"), _table(), _hypertable(), STORE),
    ),
    Case(
        "foreign_keys_between_hypertables",
        (_table(), _hypertable(), _table("other"), _hypertable("other"), _key("other")),
        ("ForeignKey flows.reading.fk", "Hypertable flows.reading", "Hypertable flows.other", "plain table"),
        (_table(), _hypertable(), _table("other"), _key("other")),
    ),
    Case(
        "job_workers",
        (_table(), _hypertable(), STORE, _retention("1 year")),
        ("Columnstore flows.reading and 1 more", "timescaledb.max_background_workers leaves 1", "need 2"),
        (_table(), _hypertable(), STORE),
        capabilities=replace(CURRENT, job_workers=1, worker_slots=7),
        good_capabilities=replace(CURRENT, job_workers=2, worker_slots=3),
    ),
    Case(
        "job_workers",
        (_table(), _hypertable(), _retention("1 year")),
        ("RetentionPolicy flows.reading would never run", "max_worker_processes leaves 2", "need 3"),
        (_table(), _hypertable()),
        capabilities=replace(CURRENT, job_workers=16, worker_slots=2),
        good_capabilities=replace(CURRENT, job_workers=0, worker_slots=0),
    ),
    Case(
        "job_owners_can_log_in",
        (specs.Role(name="quiet"), _table(owner="quiet"), _hypertable(), _retention("1 year")),
        ("RetentionPolicy flows.reading", "Role quiet", "cannot log in"),
        (specs.Role(name="quiet", login=True), _table(owner="quiet"), _hypertable(), _retention("1 year")),
    ),
    Case(
        "job_owners_can_log_in",
        (specs.Role(name="quiet"), _table(), _hypertable(), _aggregate(owner="quiet"), _refresh("3 days")),
        ("RefreshPolicy flows.daily", "Role quiet"),
        (specs.Role(name="quiet"), _table(owner="quiet"), _hypertable(), _aggregate(), _refresh("3 days")),
    ),
    Case(
        "preloaded_libraries",
        (
            specs.Extension(name="timescaledb"),
            specs.Extension(name="pg_stat_statements"),
            specs.Extension(name="hstore"),
        ),
        (
            "Extension pg_stat_statements",
            'shared_preload_libraries is "timescaledb"',
            "Add pg_stat_statements",
            "restart",
        ),
        (specs.Extension(name="timescaledb"), specs.Extension(name="hstore")),
        capabilities=replace(CURRENT, preloaded=("timescaledb",)),
        good_capabilities=replace(CURRENT, preloaded=("timescaledb",)),
    ),
    Case(
        "server_versions",
        (_table(), _hypertable()),
        ("Hypertable flows.reading", "TimescaleDB 2.17.2", "2.18.0", "ALTER EXTENSION timescaledb UPDATE"),
        (_table(), _hypertable()),
        capabilities=replace(CURRENT, timescaledb=(2, 17, 2)),
        good_capabilities=replace(CURRENT, timescaledb=(2, 18, 0)),
    ),
    Case(
        "server_versions",
        (_table(),),
        ("PostgreSQL 14.9", "15.0", "Upgrade it"),
        (_table(),),
        capabilities=replace(CURRENT, postgres=(14, 9)),
        good_capabilities=replace(CURRENT, postgres=(15, 1)),
    ),
    Case(
        "server_versions",
        (specs.RoleMembership(role="a", member="b", inherit=False),),
        ("RoleMembership a.b", "PostgreSQL 16", "15.4", "NOINHERIT"),
        (specs.RoleMembership(role="a", member="b"),),
        capabilities=replace(CURRENT, postgres=(15, 4)),
        good_capabilities=replace(CURRENT, postgres=(15, 4)),
    ),
    Case(
        "refresh_within_retention",
        (_table(), _hypertable(), _retention("30 days"), _aggregate(), _refresh("31 days")),
        ("RefreshPolicy flows.daily", "RetentionPolicy flows.reading", "31 days", "30 days", "Shorten startOffset"),
        (_table(), _hypertable(), _retention("30 days"), _aggregate(), _refresh("30 days")),
    ),
    Case(
        "refresh_within_retention",
        (_table(), _hypertable(), _retention("30 days"), _aggregate(), _refresh(None)),
        ("RefreshPolicy flows.daily", "Give startOffset"),
        (_table(), _hypertable(), _aggregate(), _refresh(None)),
    ),
    Case(
        "refresh_within_retention",
        (
            *(_table(), _hypertable(), _aggregate(), _retention("30 days", "daily")),
            *(_aggregate("daily", "monthly"), _refresh("40 days", "monthly")),
        ),
        ("RefreshPolicy flows.monthly", "RetentionPolicy flows.daily"),
        (
            *(_table(), _hypertable(), _aggregate(), _retention("60 days", "daily")),
            *(_aggregate("daily", "monthly"), _refresh("40 days", "monthly")),
        ),
    ),
    Case(
        "row_security_and_columnstore",
        (SECURED, _hypertable(), STORE),
        ("Table flows.reading", "Columnstore flows.reading", "security_barrier"),
        (_table(), _hypertable(), STORE),
    ),
    Case(
        "row_security_and_columnstore",
        (_table(rowLevelSecurity=True, forceRowLevelSecurity=True), _hypertable(), _aggregate()),
        ("ContinuousAggregate flows.daily", "Table flows.reading", "FORCE"),
        (_table("other", rowLevelSecurity=True), _table(), _hypertable(), _aggregate()),
    ),
    Case(
        "unlogged_tables",
        (_table(), _table("other", unlogged=True), _key("other")),
        ("ForeignKey flows.reading.fk", "Table flows.other, which is unlogged", "both unlogged, or neither"),
        (_table(unlogged=True), _table("other", unlogged=True), _key("other")),
    ),
    Case(
        "unlogged_tables",
        (_table(unlogged=True), _hypertable()),
        ("Table flows.reading", "TimescaleDB 2.23.0 refuses", "2.24"),
        (_table(unlogged=True), _hypertable()),
        good_capabilities=replace(CURRENT, timescaledb=(2, 24, 0)),
    ),
    Case(
        "exclusions_and_columnstore",
        (_table(exclusions=[EXCLUSION]), _hypertable(), STORE),
        ("Table flows.reading", '"apart"', "Columnstore flows.reading", "plain table"),
        (_table(), _hypertable(), STORE, _table("other", exclusions=[EXCLUSION])),
    ),
    Case(
        "unique_keys_of_hypertables",
        (_table(exclusions=[{**EXCLUSION, "elements": [{"column": "id", "operator": "="}]}]), _hypertable()),
        ('Exclusion constraint "apart"', "Hypertable flows.reading", "lacks at", "own rows only"),
        (_table(exclusions=[EXCLUSION]), _hypertable()),
    ),
    Case(
        "unique_keys_of_hypertables",
        (_table(**PRIMARY), _hypertable()),
        ('"pk"', "Hypertable flows.reading", "lacks at"),
        (_table(**SOUND_PRIMARY), _hypertable()),
    ),
    Case(
        "unique_keys_of_hypertables",
        (_table(**SOUND_PRIMARY), _hypertable(hashDimensions=[{"column": "place", "partitions": 2}])),
        ("lacks place",),
        (_table(**PRIMARY),),
    ),
    Case(
        "unique_keys_of_hypertables",
        (_table(), _hypertable(), _index("id")),
        ('"reading_key"', "lacks at", "plain index"),
        (_table(), _hypertable(), _index("id", unique=False)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_rule(case: Case) -> None:
    faults = violations(Whole(case.bad), case.capabilities)
    assert len(faults) == 1, faults
    assert all(name in faults[0] for name in case.named), faults[0]
    assert faults[0].endswith(".")
    assert violations(Whole(case.good), case.good_capabilities) == []


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == {module.name for module in pkgutil.iter_modules(rules.__path__)}


def test_a_circle_is_a_violation() -> None:
    one = specs.View(schema="flows", name="one", query="SELECT * FROM flows.two")
    two = specs.View(schema="flows", name="two", query="SELECT * FROM flows.one")
    assert "circle" in violations(Whole([one, two]), CURRENT)[0]
