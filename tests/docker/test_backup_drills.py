"""Backups that went wrong on purpose: `backup check` and `verify` go red, each for its own reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.containers import paths
from components.containers.pgbackrest_conf import PRIVATE_CONFIG
from components.secrets import StackSecrets
from flows.sql import sql
from flowsctl.backup.checking import findings
from flowsctl.backup.pgbackrest import PgBackRest
from flowsctl.backup.tool import Archive, Kind
from flowsctl.errors import FlowsError

from .backups import ARCHIVE_SECONDS, Backups
from .plain import Plain

SEEN_WITHIN = ARCHIVE_SECONDS + 60
REPOSITORY = f"{paths.BACKUP}/backup/main"


@pytest.fixture(scope="module")
def backups(plain: Plain) -> Iterator[Backups]:
    made = Backups(plain)
    made.up()
    made.schedule()
    made.until(lambda: " done: " in made.log())
    return made


def reasons(backups: Backups) -> list[str]:
    return [each.reason for each in backups.wrong(thorough=False)]


def is_failing(backups: Backups) -> bool:
    """What monitoring.archive_status says: the view's own text, on this bare database."""
    return bool(backups.plain.sql(f"select is_failing from ({sql('views/monitoring_archive_status')}) s")[0][0])


def test_all_is_well_before(backups: Backups) -> None:
    assert backups.wrong() == []
    assert backups.tool.verify().ok
    assert not is_failing(backups)


def test_a_byte_flipped_in_a_backup_is_found_by_verify(backups: Backups) -> None:
    file = backups.inside(f"find {REPOSITORY} -path '*F/bundle/*' -type f -size +8k | sort | head -n 1")
    flip = (
        f"byte=$(od -An -tu1 -j 5000 -N 1 {file} | tr -d ' '); "
        f'printf "\\\\x$(printf %02x $((byte ^ 255)))" | dd of={file} bs=1 seek=5000 conv=notrunc status=none'
    )
    backups.inside(flip)
    found = backups.tool.verify()
    assert not found.ok
    assert [each.file for each in found.faults] == [file.removeprefix(f"{REPOSITORY}/")]
    assert list(found.backups.values()) == [False]
    backups.inside(flip)
    assert backups.tool.verify().ok


def test_another_passphrase_opens_nothing(backups: Backups) -> None:
    other = PRIVATE_CONFIG.replace("pgbackrest", "other")
    key = StackSecrets("another root secret").backup()
    backups.inside(f"umask 077; sed 's/^repo1-cipher-pass=.*/repo1-cipher-pass={key}/' {PRIVATE_CONFIG} > {other}")
    tool = PgBackRest(backups.plain.host, backups.container.name, other)
    assert "does not open with this passphrase" in tool.info().problem
    assert not tool.verify().ok

    seen = replace(backups.look(thorough=False), repository=tool.info(), archive=Archive(()))
    assert [each.reason for each in findings(seen, backups.settings)] == ["passphrase"]


def test_a_removed_wal_segment_is_named_and_a_new_backup_ends_the_gap(backups: Backups) -> None:
    gone = backups.archived()
    backups.archived()
    backups.inside(f"rm {paths.BACKUP}/archive/main/*/*/{gone}-*")
    (found,) = backups.wrong(thorough=False)
    assert found.reason == "wal-missing"
    assert gone in found.sentence
    # pgBackRest itself does not notice: every file that is there is good.
    assert backups.tool.verify().ok
    assert backups.tool.info().problem == ""
    window = backups.look(thorough=False).window
    assert window.missing == (gone,)
    assert window.gaps[0].end is None
    taken = backups.tool.run(Kind.FULL)
    after = backups.look(thorough=False).window
    assert after.gaps[0].end == taken.finished
    assert len(after.stretches) == 2


def test_a_backup_that_somebody_deleted_is_missed(backups: Backups) -> None:
    first = backups.tool.info().backups[0]
    backups.inside(f"pgbackrest --config={PRIVATE_CONFIG} --stanza=main expire --set={first.label}")
    assert [each.reason for each in backups.wrong(thorough=False)] == ["backup-gone"]


def test_an_archive_command_that_fails_is_seen_in_time(
    backups: Backups, record_property: pytest.RecordProperty
) -> None:
    backups.archived()
    assert not is_failing(backups)
    backups.plain.sql("alter system set archive_command = '/bin/false'", "select pg_reload_conf()")
    began = time.monotonic()
    backups.write()
    by_view = by_check = by_health = 0.0
    while not (by_view and by_check and by_health) and time.monotonic() - began < SEEN_WITHIN + 60:
        if not by_view and is_failing(backups):
            by_view = time.monotonic() - began
        if not by_check and "archive" in reasons(backups):
            by_check = time.monotonic() - began
        if not by_health and backups.place.state("scheduler")[0] == "unhealthy":
            by_health = time.monotonic() - began
        time.sleep(0.5)
    record_property("seconds_until_seen", {"view": by_view, "check": by_check, "health": by_health})
    print(f"failing archive_command seen: view {by_view:.1f} s, check {by_check:.1f} s, health {by_health:.1f} s")
    assert 0 < by_view <= SEEN_WITHIN
    assert 0 < by_check <= SEEN_WITHIN
    assert by_health > 0
    backups.plain.sql("alter system reset archive_command", "select pg_reload_conf()")
    backups.archived()
    assert not is_failing(backups)
    assert "archive" not in reasons(backups)
    backups.until(lambda: backups.place.state("scheduler")[0] == "healthy")


def test_a_repository_that_is_full_is_called_full(fresh: Plain) -> None:
    """Its volume is a small tmpfs: enough for a backup, not for the WAL that follows."""
    host, names = fresh.host, fresh.names
    name = names.volume("backup")
    size = {"type": "tmpfs", "device": "tmpfs", "o": "size=16m"}
    host.client.volumes.create(name, driver="local", driver_opts=size, labels=names.labels("backup"))
    backups = Backups(fresh)
    backups.up()
    backups.schedule()
    backups.until(lambda: " done: " in backups.log())
    assert reasons(backups) == []
    fresh.sql(
        "create table noise (x bytea)",
        "insert into noise select string_agg(sha512(random()::text::bytea), '') "
        "from generate_series(1, 500000) n group by n % 999",
        "select pg_switch_wal()",
    )
    by_reason: dict[str, str] = {}

    def both() -> bool:
        by_reason.clear()
        by_reason.update({each.reason: each.sentence for each in backups.wrong(thorough=False)})
        return {"archive", "repository-full"} <= by_reason.keys()

    # One look: pgBackRest takes a partial file away again and tries anew, and for a moment there is room.
    backups.until(both, SEEN_WITHIN + 60)
    assert "unable to write" in by_reason["archive"] or "unable to push" in by_reason["archive"]
    assert "is full" in by_reason["repository-full"]
    # The server goes on: what cannot be archived waits on its own disk.
    fresh.sql("insert into noise values ('still writable'::bytea)")


def test_a_repository_that_is_gone(fresh: Plain) -> None:
    backups = Backups(fresh)
    backups.up()
    backups.schedule()
    backups.until(lambda: " done: " in backups.log())
    backups.inside(f"rm -r {paths.BACKUP}/backup {paths.BACKUP}/archive")
    found = {each.reason: each for each in backups.wrong(thorough=False)}
    assert "repository" in found
    assert "holds nothing" in found["repository"].sentence


def test_without_scheduler_or_server(fresh: Plain) -> None:
    backups = Backups(fresh)
    backups.up()
    backups.schedule()
    backups.until(lambda: " done: " in backups.log())
    backups.unschedule()
    assert reasons(backups) == ["scheduler"]
    backups.schedule()
    fresh.host.stop(fresh.name)
    found = {each.reason: each.sentence for each in backups.wrong()}
    assert "server" in found
    backups.unschedule()
    with pytest.raises(FlowsError, match="neither the server nor the scheduler"):
        backups.look()


def test_an_interrupted_backup_is_ended_in_its_container(fresh: Plain) -> None:
    backups = Backups(fresh)
    backups.up()
    backups.schedule()
    backups.until(lambda: " done: " in backups.log())
    tool = backups.tool

    with pytest.raises(KeyboardInterrupt):
        PgBackRest(Interrupting(tool), tool.container).run(Kind.FULL)  # type: ignore[arg-type]
    backups.until(lambda: tool.info().progress is None, 20)
    backups.inside("flock --wait 20 /run/flows/backup.lock true")
    assert tool.run(Kind.FULL).kind == Kind.FULL


class Interrupting:
    """A host whose first command is interrupted by Ctrl-C while it goes on in the container."""

    def __init__(self, tool: PgBackRest) -> None:
        self.host, self.container, self.count = tool.host, tool.container, 0

    def execute(self, name: str, command: tuple[str, ...], **options: object) -> object:
        self.count += 1
        if self.count > 1:
            return self.host.execute(name, command, **options)  # type: ignore[arg-type]
        script = f"setsid {' '.join(command)} >/dev/null 2>&1 & sleep 1.5"
        self.host.execute(name, ("bash", "-c", script), user="postgres", timeout=60)
        raise KeyboardInterrupt
