"""Engine events become counts, changes with SQL, and messages without noise."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.automation.events import EngineEvent

from flowsctl.progress import totals
from flowsctl.report import PREFIXES, Report

TABLE = "urn:pulumi:local::flows::flows:index:Schema$timescaledb:index:Table::meters"
STACK = "urn:pulumi:local::flows::pulumi:pulumi:Stack::flows-local"


def step(kind: str, urn: str, op: str, **more: Any) -> EngineEvent:
    metadata = {"op": op, "urn": urn, "type": urn.split("::")[2], "provider": "", **more}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, kind: {"metadata": metadata, "planning": True}})


def message(text: str, severity: str = "info#err", urn: str = "", ephemeral: bool = False) -> EngineEvent:
    body = {"message": text, "color": "never", "severity": severity, "urn": urn, "ephemeral": ephemeral}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": body})


def report_of(*events: EngineEvent) -> Report:
    report = Report()
    for event in events:
        report.on_event(event)
    return report


def test_sql_is_shown_once_even_if_it_comes_twice_and_early() -> None:
    report = report_of(
        message("<{%reset%}>CREATE TABLE a<{%reset%}>\n", urn=TABLE),
        step("resourcePreEvent", TABLE, "create"),
        message("CREATE TABLE a", urn=TABLE),
        message("COMMENT ON TABLE a", urn=TABLE),
        step("resOutputsEvent", TABLE, "create"),
    )
    assert report.as_json()["changes"] == [
        {
            "urn": TABLE,
            "type": "timescaledb:index:Table",
            "name": "meters",
            "op": "create",
            "diff": [],
            "sql": ["CREATE TABLE a", "COMMENT ON TABLE a"],
        }
    ]


def test_counts_take_a_replacement_as_one_and_a_refresh_by_its_outcome() -> None:
    other = TABLE.replace("meters", "sites")
    report = report_of(
        step("resourcePreEvent", TABLE, "create-replacement"),
        step(
            "resourcePreEvent", TABLE, "replace", detailedDiff={"columns[0]": {"diffKind": "update", "inputDiff": True}}
        ),
        step("resourcePreEvent", TABLE, "delete-replaced"),
        step("resourcePreEvent", other, "refresh"),
        step("resOutputsEvent", other, "update", diffs=["comment"]),
        step("resourcePreEvent", STACK, "same"),
    )
    assert report.counts == {"create": 0, "update": 1, "replace": 1, "delete": 0, "import": 0, "same": 1}
    assert [(change.op, change.diff) for change in report.changes] == [
        ("replace", ["columns[0]"]),
        ("update", ["comment"]),
    ]
    assert totals(report, planned=True) == "1 to update, 1 to replace, 1 unchanged"
    assert totals(report, planned=False) == "1 updated, 1 replaced, 1 unchanged"


def test_nothing_changed() -> None:
    report = report_of(step("resourcePreEvent", TABLE, "same"), step("resOutputsEvent", TABLE, "same"))
    assert report.as_json()["changes"] == []
    assert totals(report, planned=True) == "no changes, 1 resources"


def test_messages_lose_prefixes_tracebacks_repeats_and_the_closing_line() -> None:
    text = "python inline source runtime error: no good\nTraceback (most recent call last)\n  File x"
    report = report_of(
        message(text, "error"),
        message(f"an unhandled error occurred: {text}", "error"),
        message("update failed", "error", STACK),
        message("resource busy", "warning", TABLE),
        message("starting", "info", TABLE, ephemeral=True),
        message("about the stack", "info", STACK),
        message("internals", "debug"),
    )
    assert [found.message for found in report.errors] == ["no good"]
    assert report.errors[0].traceback.strip(":\n ").startswith("File x")
    assert [(found.severity, found.message) for found in report.diagnostics if found.severity != "error"] == [
        ("warning", "resource busy"),
        ("info", "about the stack"),
    ]


def test_a_refusal_is_told_by_a_passing_message() -> None:
    assert not report_of(message("starting", urn=TABLE, ephemeral=True), message("no", "error", TABLE)).refused
    assert not report_of(message("refused", urn=TABLE), message("no", "error", TABLE)).refused
    refused = report_of(message("refused\n", urn=TABLE, ephemeral=True), message("no", "error", TABLE))
    assert refused.refused
    assert [found.message for found in refused.diagnostics] == ["no"]


def test_listener_hears_start_sql_and_end() -> None:
    heard: list[tuple[str, str]] = []
    report = Report(lambda what, change: heard.append((what, change.name)))
    for event in (
        step("resourcePreEvent", TABLE, "create"),
        message("CREATE", urn=TABLE),
        step("resOpFailedEvent", TABLE, "create"),
    ):
        report.on_event(event)
    assert heard == [("start", "meters"), ("sql", "meters"), ("failed", "meters")]


@pytest.mark.parametrize("op", ["same", "read", "refresh"])
def test_unchanged_ops(op: str) -> None:
    assert report_of(step("resourcePreEvent", TABLE, op)).counts["same"] == 1


def test_the_engine_s_words_before_a_check_fault_are_cut() -> None:
    fault = "error: timescaledb:index:Manifest resource 'manifest' has a problem: Table app.t: all rows are lost."
    assert PREFIXES.sub("", fault) == "Table app.t: all rows are lost."
