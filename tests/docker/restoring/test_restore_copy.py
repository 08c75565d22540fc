"""A restored copy: what is in it, that nothing runs in it, what is left when it is stopped, what promote does."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL, Names
from flowsctl.backup.tool import Moment, Target
from flowsctl.containers.host import Host
from flowsctl.errors import EXIT_REFUSED, FlowsError, UsageError
from flowsctl.restoring import copies, making
from flowsctl.restoring.judging import judge
from flowsctl.restoring.making import Made, ends_before, make
from flowsctl.restoring.promoting import promote
from flowsctl.restoring.repository import tool_in
from flowsctl.restoring.target import parse

from .plain import Plain

pytestmark = pytest.mark.docker


def silent(_text: str) -> None:
    """Nobody listens."""


@contextmanager
def restored(origin: Plain, name: str, target: Target | None = None) -> Iterator[Made]:
    try:
        yield make(origin.host, origin.origin, target or Target(), name, silent)
    finally:
        copies.remove(origin.host, Names(origin.names.project, name))


def asked(conninfo: dict[str, Any], query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(**conninfo, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def things(origin: Plain, name: str) -> list[tuple[str, str]]:
    return origin.host.found({PROJECT_LABEL: origin.names.project, STACK_LABEL: name})


def test_a_copy_holds_what_was_committed_and_nothing_runs_in_it(origin: Plain) -> None:
    origin.sql("INSERT INTO flows.csq VALUES ('2026-01-01Z', 1, 31)")
    origin.archived()
    sums = "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM flows.csq t"
    with restored(origin, "latest") as made:
        assert asked(made.conninfo(), sums) == origin.sql(sums)
        judgement = judge(made.conninfo(), origin.origin.owner, made.backup, datetime.now(UTC))
        assert judgement.faults == []
        assert judgement.tables["flows.csq"][1] == judgement.tables["flows.csq"][0] + 1
        assert [(row.name, row.restored - row.ledger) for row in judgement.rows if "chunks" not in row.name] == [
            ("flows.csq on 2026-01-01", 1)
        ]
        assert made.rpo_seconds < 60
        assert set(made.seconds) == {"repository", "restore", "start", "recovery"}
        assert made.bytes > 10_000_000
        assert made.tool_seconds <= made.seconds["restore"]
        settings = "SELECT current_setting('archive_mode'), current_setting('timescaledb.max_background_workers')"
        assert asked(made.conninfo(), settings) == [("off", "0")]
        workers = (
            "SELECT backend_type FROM pg_stat_activity WHERE backend_type ~ 'TimescaleDB.*(Scheduler|Job)|archiver'"
        )
        assert asked(made.conninfo(), workers) == []
        assert [name for kind, name in things(origin, "latest") if kind == "container"] == [
            made.names.container("database")
        ]
        assert [each.as_json() for each in copies.every(origin.host, origin.names.project)] == [
            {"name": "latest", "origin": "one", "state": "ready", "port": made.server.database_port}
        ]
        with pytest.raises(FlowsError, match="latest is there already") as refusal:
            make(origin.host, origin.origin, Target(), "latest", silent)
        assert refusal.value.code == EXIT_REFUSED
    assert things(origin, "latest") == []


def test_no_secret_of_a_copy_can_be_seen(origin: Plain) -> None:
    with restored(origin, "secret") as made:
        container = origin.host.client.containers.get(made.names.container("database"))
        seen = json.dumps(container.attrs) + container.logs().decode()
        seen += json.dumps(container.top(ps_args="-eo pid,args")["Processes"])
        secrets = origin.origin.secrets
        for secret in (secrets.backup(), secrets.password("tsdbadmin"), secrets.scram_verifier("tsdbadmin")):
            assert secret not in seen
        files = origin.host.execute(container.name, ("sh", "-c", "stat -c '%a %U' /run/flows /run/flows/*.conf"))
        assert files.text.splitlines() == ["700 postgres", "600 postgres"]


def test_a_host_without_the_repository_is_refused_and_gets_no_empty_one(origin: Plain) -> None:
    elsewhere = Names(origin.names.project, "elsewhere")
    with pytest.raises(FlowsError, match=f"there is no volume {elsewhere.volume('backup')}") as refused:
        make(origin.host, replace(origin.origin, names=elsewhere), Target(), "copy", silent)
    assert refused.value.code == EXIT_REFUSED
    assert things(origin, "elsewhere") == things(origin, "copy") == []
    assert not origin.host.has_volume(elsewhere.volume("backup"))


def test_a_copy_of_a_moment_ends_there(origin: Plain) -> None:
    origin.sql("INSERT INTO flows.csq VALUES ('2026-02-01Z', 1, 1)")
    moment = origin.sql("SELECT clock_timestamp()")[0][0]
    time.sleep(0.2)
    origin.sql("INSERT INTO flows.csq VALUES ('2026-02-01Z', 2, 2)")
    origin.archived()
    with restored(origin, "moment", Target(Moment.TIME, time=moment)) as made:
        assert asked(made.conninfo(), "SELECT meter FROM flows.csq WHERE timestamp = '2026-02-01Z'") == [(1,)]
        assert made.rpo_seconds == 0
        assert made.recovered_to is not None
        assert made.recovered_to <= moment
    label = origin.tool.info().backups[0].label
    with restored(origin, "label", parse(label)) as made:
        assert asked(made.conninfo(), "SELECT count(*) FROM flows.csq WHERE timestamp = '2026-02-01Z'") == [(0,)]
        assert made.backup.label == label


def refused(origin: Plain, target: Target, says: str) -> None:
    with pytest.raises(FlowsError, match=says) as refusal:
        make(origin.host, origin.origin, target, "refused", silent)
    assert refusal.value.code == EXIT_REFUSED
    assert things(origin, "refused") == []


def test_moments_that_are_not_in_the_repository_are_refused(origin: Plain) -> None:
    first = origin.tool.info().backups[0]
    early = Target(Moment.TIME, time=first.finished - timedelta(minutes=5))
    refused(origin, early, "is before the end of the first backup")
    refused(origin, Target(Moment.TIME, time=datetime.now(UTC) + timedelta(days=1)), "has not come yet")
    refused(origin, parse("20200101-000000F"), "there is no backup 20200101-000000F")
    with pytest.raises(UsageError, match="--to yesterday is no moment"):
        parse("yesterday")


def test_ctrl_c_leaves_nothing(origin: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "_recover", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(origin.host, origin.origin, Target(), "stopped", silent)
    assert things(origin, "stopped") == []


def _make_until_killed(origin: Any) -> None:
    def told(text: str) -> None:
        if text.startswith("restoring"):
            os.kill(os.getpid(), signal.SIGKILL)

    make(Host(), origin, Target(), "killed", told)


def test_what_a_kill_leaves_is_found_by_its_labels(origin: Plain) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_make_until_killed, args=(origin.origin,))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert {kind for kind, _ in things(origin, "killed")} == {"container", "volume", "network"}
    found = copies.existing(origin.host, Names(origin.names.project, "killed"))
    assert found.state == "unfinished"
    assert [each.name for each in copies.abandoned(origin.host, origin.names.project)] == ["killed"]
    copies.discard(origin.host, Names(origin.names.project, "killed"))
    assert things(origin, "killed") == []
    with pytest.raises(UsageError, match="no restored copy killed"):
        copies.discard(origin.host, Names(origin.names.project, "killed"))
    with pytest.raises(UsageError, match="no restored copy one"):
        copies.discard(origin.host, origin.names)


def test_a_retention_policy_waits_for_the_promotion(origin: Plain, only_community: None) -> None:
    """The restored job is overdue, and would drop what was restored as soon as it may."""
    origin.sql("SELECT remove_retention_policy('flows.csq')")
    origin.sql("SELECT add_retention_policy('flows.csq', interval '20 days', initial_start => now() + interval '6 s')")
    moment, before = origin.sql("SELECT clock_timestamp(), (SELECT count(*) FROM flows.csq)")[0]
    wait_until(lambda: origin.sql("SELECT count(*) FROM flows.csq")[0][0] < before)
    origin.archived()
    count = "SELECT count(*) FROM flows.csq"
    ran = "SELECT sum(total_runs) FROM timescaledb_information.job_stats WHERE hypertable_name = 'csq'"
    with restored(origin, "kept", Target(Moment.TIME, time=moment)) as made:
        time.sleep(8)
        assert asked(made.conninfo(), count) == [(before,)]
        assert asked(made.conninfo(), ran) in ([(0,)], [(None,)])
        promote(origin.host, origin.origin, "kept", wait=False)
        wait_until(lambda: asked(made.conninfo(), count)[0][0] < before)
        assert asked(made.conninfo(), ran)[0][0] >= 1


def wait_until(happened: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.5)


def test_a_promoted_copy_is_a_database_with_backups_of_its_own(origin: Plain) -> None:
    origin.archived()
    before = origin.tool.archive().segments, [each.label for each in origin.tool.info().backups]
    with restored(origin, "own") as made:
        promoted = promote(origin.host, origin.origin, "own")
        assert promoted.port == made.server.database_port
        asked(made.conninfo(), "INSERT INTO flows.csq VALUES ('2026-03-01Z', 1, 1) RETURNING 1")
        assert asked(made.conninfo(), "SELECT current_setting('archive_mode'), current_setting('restore_command')") == [
            ("on", "")
        ]
        own = tool_in(origin.host, made.names.container("scheduler"))
        own.check()
        assert [each.label for each in own.info().backups] == [promoted.backup]
        assert own.info().backups[0].annotations
        assert copies.existing(origin.host, made.names).state == "promoted"
        with pytest.raises(FlowsError, match="own was promoted: it is a database in use") as refusal:
            copies.discard(origin.host, made.names)
        assert refusal.value.code == EXIT_REFUSED
        after = [each.label for each in origin.tool.info().backups]
        mine = {each.name for each in own.archive().segments}
        assert mine
        assert after == before[1]
        assert {each.name[:8] for each in origin.tool.archive().segments} == {"00000001"}, "none of its timeline"
        assert not {name for name in mine if name.startswith("00000001")}
        copies.discard(origin.host, made.names, promoted=True)
    assert things(origin, "own") == []


@pytest.mark.parametrize(
    ("lsn", "segment", "before"),
    [
        ("0/7FFFFFF", "000000010000000000000008", True),
        ("0/8000000", "000000010000000000000008", False),
        ("0/8000028", "000000010000000000000008", False),
        ("1/1", "0000000100000000000000FF", False),
        ("0/FF000000", "000000010000000100000000", True),
    ],
)
def test_positions_and_segments(lsn: str, segment: str, before: bool) -> None:
    assert ends_before(lsn, segment) is before
