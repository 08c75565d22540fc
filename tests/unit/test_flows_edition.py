"""Edition apache: what is declared instead, what is left out and said, and what the scheduler gets to do."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from flows import Settings, declarations, everything, warnings
from flows.scheduled import ScheduledJob, jobs, kept
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.manifest import violations
from pulumi_timescaledb.specs.view import View
from pulumi_timescaledb.whole import Whole

APACHE = Settings(edition="apache")
LACKING = {"ContinuousAggregate", "RefreshPolicy", "Columnstore", "RetentionPolicy", "Job"}


def test_nothing_is_declared_that_an_apache_server_lacks_and_nothing_else_is_missing() -> None:
    whole = Whole(declarations(APACHE))
    assert violations(whole, ServerCapabilities(community=False)) == []
    there = {spec.reference() for spec in whole.specs.values()}
    left_out = [spec for spec in everything(APACHE) if spec.reference() not in there]
    assert {spec.KIND for spec in left_out} == LACKING
    assert len(whole.creation_order) == len(whole.specs)


def test_aggregates_become_views_of_the_same_names_columns_and_comments() -> None:
    views = {spec.identity(): spec for spec in declarations(APACHE) if isinstance(spec, View)}
    aggregates = [spec for spec in everything(APACHE) if spec.KIND == "ContinuousAggregate"]
    assert len(aggregates) == 3
    for aggregate in aggregates:
        view = views[aggregate.identity()]
        assert view.comment == aggregate.comment  # type: ignore[attr-defined]
        assert view.column_comments == aggregate.column_comments  # type: ignore[attr-defined]
        columns = re.findall(r'(?:AS ("?\w+"?),?$)', view.query, re.M)
        assert {name.strip('"') for name in columns} == {*view.column_comments}


def test_each_lacking_kind_is_one_warning_that_names_its_objects() -> None:
    said = warnings(APACHE)
    assert len(said) == len(LACKING)
    for kind in LACKING:
        (sentence,) = (each for each in said if f"no {kind} (" in each)
        for spec in everything(APACHE):
            assert (spec.import_id() in sentence) or kind != spec.KIND
    assert warnings(Settings()) == []


def test_the_scheduler_runs_every_job_and_every_retention() -> None:
    made = {job.name: job for job in jobs(APACHE)}
    declared = [spec for spec in everything(APACHE) if spec.KIND == "Job"]
    assert {spec.procedure for spec in declared} <= made.keys()  # type: ignore[attr-defined]
    for spec in declared:  # what a plain scheduler would not know of
        assert (spec.enabled, spec.timezone, spec.max_runtime) == (True, None, None)  # type: ignore[attr-defined]
    assert made["prune_meter_event_log"].sql == (
        'SELECT "flows"."prune_meter_event_log"(0, \'{"older_than": "90 days"}\'::jsonb)'
    )
    dropping = {name for name in made if name.startswith("drop_chunks_")}
    assert dropping == {
        f"drop_chunks_{spec.relation}"  # type: ignore[attr-defined]
        for spec in everything(APACHE)
        if spec.KIND == "RetentionPolicy" and not spec.relation.startswith("circuit_")  # type: ignore[attr-defined]
    } - {"drop_chunks_register_interval_hh"}
    assert jobs(Settings()) == []
    assert all("\n" not in job.sql and "\t" not in job.sql for job in made.values())


@pytest.mark.parametrize(
    ("ages", "kept_for"),
    [
        ({}, ""),
        ({"circuit_interval_monthly_retention": "10 years"}, "10 years"),
        ({"circuit_interval_monthly_retention": "3 years"}, "5 years"),
        ({"circuit_interval_monthly_retention": "3 years", "circuit_interval_daily_retention": "4 years"}, "4 years"),
        ({"register_interval_hh_retention": ""}, ""),
    ],
)
def test_readings_are_kept_as_long_as_any_view_over_them_shall_be(ages: dict[str, str], kept_for: str) -> None:
    settings = Settings(edition="apache", **ages)  # type: ignore[arg-type]
    assert kept(settings) == kept_for
    sql = {job.name: job.sql for job in jobs(settings)}.get("drop_chunks_register_interval_hh", "")
    assert (f"INTERVAL '{kept_for}'" in sql) == bool(kept_for)


def test_a_job_is_a_line_of_the_schedulers_table() -> None:
    job = ScheduledJob("prune", "1 day 30 minutes", "2025-01-01T02:00:00+00:00", "SELECT 1")
    assert job.line() == "prune\t88200\t1735696800\tSELECT 1"


def test_what_a_plain_view_cannot_be_is_refused() -> None:
    with pytest.raises(ValidationError, match="materializedOnly needs edition community"):
        Settings(edition="apache", materialized_only=True)
    with pytest.raises(ValidationError, match="'community' or 'apache'"):
        Settings(edition="enterprise")  # type: ignore[arg-type]
