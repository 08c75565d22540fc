"""Restores without a server: moments, which backup they begin with, and what a ledger's counts come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from flowsctl.backup.tool import Backup, Kind, Moment, Repository
from flowsctl.errors import EXIT_REFUSED, FlowsError, UsageError
from flowsctl.main import app
from flowsctl.registry import load
from flowsctl.restoring.judging import Judgement, _compare
from flowsctl.restoring.table import Wanted
from flowsctl.restoring.target import describe, parse, source

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def backup(label: str, hours: int) -> Backup:
    at = NOON + timedelta(hours=hours)
    return Backup(label, Kind.FULL, at - timedelta(minutes=1), at, "0/1", "0/2", "a", "b", 1, 1)


REPOSITORY = Repository((backup("20261126-120000F", 0), backup("20261126-140000F", 2)))


def test_moments_are_read_as_they_are_written() -> None:
    assert parse("latest").moment is Moment.LATEST
    assert parse("2026-11-26T13:00").time == NOON + timedelta(hours=1), "without a zone it is UTC"
    assert parse("2026-11-26T14:00+01:00").time == NOON + timedelta(hours=1)
    label = "20261125-171700F_20261126-010000D"
    assert (parse(label).moment, parse(label).label) == (Moment.BACKUP, label)
    assert [describe(parse(text)) for text in ("latest", label)] == ["latest", label]
    with pytest.raises(UsageError, match="--to noon is no moment"):
        parse("noon")


def test_a_restore_begins_with_the_newest_backup_that_had_ended() -> None:
    assert source(parse("latest"), REPOSITORY).label == "20261126-140000F"
    assert source(parse("2026-11-26T13:59Z"), REPOSITORY).label == "20261126-120000F"
    assert source(parse("2026-11-26T14:00Z"), REPOSITORY).label == "20261126-140000F"
    assert source(parse("20261126-120000F"), REPOSITORY).label == "20261126-120000F"


@pytest.mark.parametrize(
    ("to", "repository", "says"),
    [
        ("latest", Repository(()), "the repository has no backup"),
        ("2026-11-26T11:59Z", REPOSITORY, "before the end of the first backup"),
        ("9999-01-01", REPOSITORY, "has not come yet"),
        ("20261126-130000F", REPOSITORY, "there is no backup"),
    ],
)
def test_what_the_repository_has_not_is_refused(to: str, repository: Repository, says: str) -> None:
    with pytest.raises(FlowsError, match=says) as refusal:
        source(parse(to), repository)
    assert refusal.value.code == EXIT_REFUSED


def test_a_repository_that_cannot_be_read_is_no_refusal() -> None:
    with pytest.raises(FlowsError, match="cannot be read: wrong passphrase") as failure:
        source(parse("latest"), Repository((), problem="wrong passphrase"))
    assert failure.value.code != EXIT_REFUSED


WAS = {
    "server": {"timescaledb": "2.29.2", "edition": "timescale"},
    "tables": {"flows.escos": 2, "flows.gone": 1},
    "series": {"flows.csq": {"rows": 30, "days": {"2026-01-01": 10, "2026-11-24": 10, "2026-11-25": 10}}},
    "counts": {"jobs": 3, "chunks": 5, "policies": {"policy_retention": 1}},
}
NOW = {
    "server": {"timescaledb": "2.29.2", "edition": "timescale"},
    "tables": {"flows.escos": 3},
    "series": {"flows.csq": {"rows": 21, "newest": "x", "days": {"2026-11-24": 9, "2026-11-25": 12}}},
    "counts": {"jobs": 3, "chunks": 4, "policies": {}},
}


def test_fewer_rows_are_a_loss_unless_something_says_why() -> None:
    found = Judgement()
    _compare(WAS, NOW, {"flows.csq": datetime(2026, 3, 1, tzinfo=UTC)}, found)
    assert found.faults == []
    assert found.tables == {"flows.escos": (2, 3), "flows.gone": (1, 0), "flows.csq": (30, 21)}
    assert {row.name: row.is_loss for row in found.rows} == {
        "flows.escos": False,
        "flows.gone": True,
        "flows.csq on 2026-01-01": False,  # dropped by its retention policy
        "flows.csq on 2026-11-24": True,
        "flows.csq on 2026-11-25": False,
        "chunks": False,
        "policies policy_retention": True,
    }


def test_another_version_is_a_fault() -> None:
    found = Judgement()
    _compare(WAS, NOW | {"server": {"timescaledb": "2.28.3", "edition": "timescale"}}, {}, found)
    assert found.faults == ["timescaledb is 2.28.3, at the backup it was 2.29.2"]


def test_a_table_is_named_with_its_schema() -> None:
    with pytest.raises(UsageError, match=r"is not SCHEMA\.TABLE"):
        Wanted("meter_csq")
    with pytest.raises(UsageError, match="--on-conflict merge is not known"):
        Wanted("flows.meter_csq", on_conflict="merge")


def test_restore_takes_the_shared_options_as_a_command_and_as_a_group() -> None:
    names = {option for param in load("restore").params for option in param.opts}
    assert {"--to", "--into", "--stack", "--json"} <= names
    done = CliRunner().invoke(app, ["restore", "--stack", "dev", "--to", "latest"])
    assert isinstance(done.exception, UsageError)
    assert "--to and --into" in str(done.exception)


@pytest.mark.parametrize("option", [["--jobs", "4"], ["--table", "flows.meter_csq"], ["--clean"], ["--no-pre-restore"]])
def test_load_refuses_what_loses_rows(option: list[str]) -> None:
    done = CliRunner().invoke(app, ["load", "/nowhere", "--into", "copy", *option])
    assert isinstance(done.exception, FlowsError)
    assert done.exception.code == EXIT_REFUSED
