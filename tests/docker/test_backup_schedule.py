"""The scheduler takes backups that are due, one at a time, catches up, runs jobs, says what happens, ends cleanly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from components.containers.scheduler import TimedStatement
from flowsctl.backup.tool import LEDGER, LEDGER_SHA256, Kind
from flowsctl.errors import EXIT_REFUSED, FlowsError

from .backups import Backups
from .plain import Plain


@pytest.fixture(scope="module")
def backups(plain: Plain) -> Iterator[Backups]:
    jobs = (
        TimedStatement("count", 2, 0, "insert into ran select 'count'"),
        TimedStatement("fails", 2, 0, "select 1 / 0"),
    )
    made = Backups(plain, jobs=jobs)
    made.up()
    plain.sql("create table ran (job text)")
    made.schedule()
    made.until(lambda: " done: " in made.log())
    return made


def test_it_is_healthy_once_wal_was_seen_in_the_repository_and_begins_with_a_full_backup(backups: Backups) -> None:
    lines = [line.partition(" ")[2] for line in backups.log().splitlines()]
    told = [line for line in lines if not line.startswith("job ")]
    assert told[:5] == [
        "scheduler begins",
        "archive: not checked yet",
        "archive: stanza made",
        "archive: check passed",
        "backup full begins",
    ]
    (first,) = backups.tool.info().backups
    assert first.kind == Kind.FULL
    assert any(line.startswith(f"backup {first.label} done: ") for line in told)
    assert backups.tool.archive().segments


def test_the_ledger_is_annotated_and_says_what_was_there(backups: Backups) -> None:
    first = backups.tool.info().backups[0]
    ((number, sha256, contents, stack, label),) = backups.plain.sql(
        "select id, sha256, contents::text, stack, backup from monitoring.backup_ledger order by id limit 1"
    )
    assert first.annotations == {LEDGER: str(number), LEDGER_SHA256: sha256}
    assert hashlib.sha256(contents.encode()).hexdigest() == sha256
    assert (stack, label) == (backups.place.owner, first.label)
    ((rows,),) = backups.plain.sql("select contents #>> '{series,public.readings,rows}' from monitoring.backup_ledger")
    assert int(rows) == backups.plain.sql("select count(*) from readings")[0][0]


def test_jobs_run_in_their_slots_and_a_failure_says_why(backups: Backups) -> None:
    backups.until(lambda: backups.plain.sql("select count(*) from ran")[0][0] >= 3)
    log = backups.log()
    assert "job count done" in log
    assert "job fails failed: division by zero" in log


def test_a_differential_one_by_hand_with_progress(backups: Backups) -> None:
    shares: list[float] = []
    taken = backups.tool.run(Kind.DIFFERENTIAL, shares.append)
    assert taken.prior == backups.tool.info().backups[0].label
    assert taken.size > taken.stored
    assert LEDGER in taken.annotations
    assert all(0 <= share <= 1 for share in shares)


def test_one_backup_at_a_time(backups: Backups) -> None:
    backups.inside("flock /run/flows/backup.lock sleep 8 >/dev/null 2>&1 & sleep 1")
    with pytest.raises(FlowsError, match="another backup is running") as error:
        backups.tool.run(Kind.FULL)
    assert error.value.code == EXIT_REFUSED
    assert len(backups.tool.info().backups) == 2


def test_nothing_is_wrong_with_all_this(backups: Backups) -> None:
    assert backups.wrong() == []
    found = backups.look().window
    assert found.start == backups.tool.info().backups[0].finished
    assert found.gaps == ()
    assert found.end is not None


def test_what_was_missed_while_it_was_away_is_caught_up(backups: Backups) -> None:
    """A schedule of every minute, half of them full: slots go by while there is no scheduler."""
    backups.unschedule()
    backups.settings = backups.settings.model_copy(update={"full_every": "2 minutes", "differential_every": "1 minute"})
    before = len(backups.tool_of_server().info().backups)
    backups.until(lambda: backups.plain.sql("select extract(second from now()) between 2 and 20")[0][0])
    backups.schedule()
    backups.until(lambda: len(backups.tool.info().backups) > before)
    # The slot's one backup is all: the loop has looked several times since.
    kinds = [each.kind for each in backups.tool.info().backups[before:]]
    assert kinds in ([Kind.FULL], [Kind.DIFFERENTIAL])


def test_sigterm_ends_it_at_once_with_a_running_backup(backups: Backups) -> None:
    name = backups.container.name
    backups.plain.host.stop(name, 30)
    assert backups.log().splitlines()[-1].endswith("scheduler ends")
    assert backups.plain.host.health(name) == ("exited", "exit code 0")


def test_no_secret_is_seen_from_outside(backups: Backups) -> None:
    found = backups.plain.host.client.containers.get(backups.container.name)
    assert backups.plain.secrets.backup() not in str(found.attrs)
    assert backups.plain.secrets.backup() not in backups.log()
