"""What counts as wrong with backups: every rule by what was seen, none where all is as promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.backup_config import BackupSettings
from flowsctl.backup.checking import allowed_age, findings
from flowsctl.backup.evidence import Evidence, Written, push_error
from flowsctl.backup.telling import check_json, list_json, size, table, verify_json, window_text
from flowsctl.backup.tool import Archive, Backup, Fault, Kind, Repository, Segment, Verification

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SETTINGS = BackupSettings()
SERVER = 7712635047240122387


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def wal(number: int) -> str:
    return f"{1:08X}{0:08X}{number:08X}"


def backup(kind: Kind, finished: datetime, number: int, **more: Any) -> Backup:
    label = f"{finished:%Y%m%d-%H%M%S}{kind.value[0].upper()}"
    own = {"annotations": {"ledger": "1"}, **more}
    start = finished - timedelta(seconds=10)
    return Backup(label, kind, start, finished, "0/0", "0/0", wal(number), wal(number), 2_000_000, 1_000, **own)


FULL, DAILY = backup(Kind.FULL, ago(days=2), 1), backup(Kind.DIFFERENTIAL, ago(hours=11), 2)
GOOD = Evidence(
    now=NOW,
    repository=Repository((FULL, DAILY), system_identifier=SERVER, is_encrypted=True),
    archive=Archive(tuple(Segment(wal(n), ago(days=2 - n / 2), 100) for n in range(1, 5))),
    server_identifier=SERVER,
    has_ledger=True,
    ledger=(Written(FULL.label, FULL.finished), Written(DAILY.label, DAILY.finished)),
    free=(900, 1000),
)


def reasons(seen: Evidence, settings: BackupSettings = SETTINGS) -> list[str]:
    return [each.reason for each in findings(seen, settings)]


def test_nothing_is_wrong() -> None:
    assert findings(GOOD, SETTINGS) == []


WRONG: dict[str, Evidence] = {
    "passphrase": replace(GOOD, repository=Repository((), problem="it does not open with this passphrase: x")),
    "repository": replace(GOOD, repository=Repository((), problem="Permission denied")),
    "not-encrypted": replace(GOOD, repository=replace(GOOD.repository, is_encrypted=False)),
    "other-server": replace(GOOD, server_identifier=1),
    "repository-full": replace(GOOD, free=(10, 1000)),
    "server": replace(GOOD, server="connection refused"),
    "wal-missing": replace(GOOD, archive=Archive(tuple(each for each in GOOD.archive.segments if each.name != wal(3)))),
    "bad-pages": replace(GOOD, repository=replace(GOOD.repository, backups=(FULL, replace(DAILY, has_bad_pages=True)))),
    "ledger-missing": replace(
        GOOD, repository=replace(GOOD.repository, backups=(FULL, replace(DAILY, annotations={})))
    ),
    "backup-gone": replace(GOOD, ledger=(*GOOD.ledger, Written("20261126-000000F_D", ago(hours=3)))),
    "scheduler": replace(GOOD, scheduler="flows-dev-scheduler is exited"),
}


@pytest.mark.parametrize("reason", WRONG)
def test_each_fault_has_its_own_reason(reason: str) -> None:
    assert reasons(WRONG[reason]) == [reason]


@pytest.mark.parametrize("where", ["archiver", "checked"])
def test_failing_archiving_says_why(where: str) -> None:
    (found,) = findings(replace(GOOD, **{where: "it fails"}, push="[28] No space left on device"), SETTINGS)
    assert found.reason == "archive"
    assert found.sentence == "WAL does not reach the repository: it fails ([28] No space left on device)"


PUSH_LOG = """\
2026-11-26 11:40:25.379 UTC [136] LOG:  archive command failed with exit code 82
2026-11-26 11:55:40.046 P00  ERROR: [104]: raised from local-1 protocol: archive-push command encountered error(s):
                                    repo1: [FileWriteError] unable to write '/x.tmp'
                                        [CommandError] on retry at 41380ms: archive-push command encountered error(s):
                                    repo1: [FileWriteError] unable to write '/x.tmp': [28] No space left on device
2026-11-26 11:55:40.378 UTC [136] LOG:  archive command failed with exit code 104
"""


def test_the_server_s_log_says_why_a_push_failed() -> None:
    assert push_error(PUSH_LOG, NOW) == "unable to write '/x.tmp': [28] No space left on device"
    assert push_error(PUSH_LOG, NOW + timedelta(hours=1)) == ""
    assert push_error("2026-11-26 11:55:40.046 P00  ERROR: [082]: unable to push WAL file\n", NOW) == (
        "unable to push WAL file"
    )
    assert push_error("2026-11-26 11:40:25.379 UTC [1] ERROR:  syntax error", NOW) == ""


def test_the_missing_segment_is_named_with_what_it_costs() -> None:
    (found,) = findings(WRONG["wal-missing"], SETTINGS)
    assert wal(3) in found.sentence
    assert "since then" in found.sentence


def test_a_backup_of_no_use_is_named_with_its_segment() -> None:
    seen = replace(GOOD, archive=Archive(tuple(each for each in GOOD.archive.segments if each.name != wal(2))))
    assert reasons(seen) == ["wal-missing", "backup-unusable"]


def test_no_backup_at_all() -> None:
    empty = replace(GOOD, repository=replace(GOOD.repository, backups=()), ledger=())
    assert reasons(empty) == ["no-backup"]
    # There was one within the promise: that is worse.
    assert reasons(replace(empty, ledger=GOOD.ledger)) == ["no-backup", "backup-gone", "backup-gone", "window-short"]


def test_ages_from_which_a_backup_was_missed() -> None:
    assert allowed_age("1 day") == timedelta(hours=36)
    assert allowed_age("7 days") == timedelta(days=7.5)
    assert allowed_age("1 hour") == timedelta(minutes=90)
    late = replace(GOOD, now=NOW + timedelta(hours=26))
    assert reasons(late) == ["backup-age"]
    weekly = backup(Kind.FULL, ago(days=8), 1)
    old = replace(GOOD.repository, backups=(weekly, DAILY))
    found = findings(replace(GOOD, repository=old, ledger=()), SETTINGS)
    assert [each.sentence for each in found] == [
        "the newest full backup is of 2026-11-18 12:00:00 UTC: older than 180 hours"
    ]


def test_a_young_database_is_promised_what_it_has() -> None:
    young = backup(Kind.FULL, ago(hours=1), 4)
    seen = replace(
        GOOD,
        repository=replace(GOOD.repository, backups=(young,)),
        archive=Archive((Segment(wal(4), ago(hours=1), 1),)),
        ledger=(Written(young.label, young.finished),),
    )
    assert reasons(seen) == []


def test_a_window_shorter_than_promised() -> None:
    """The first full backup, of 29 days ago, was expired by hand."""
    first = Written("20261028-120000F", ago(days=29))
    seen = replace(GOOD, ledger=(first, *GOOD.ledger))
    assert reasons(seen) == ["backup-gone", "window-short"]
    # One of 31 days ago was expired because a newer one covers the promise.
    assert reasons(replace(GOOD, ledger=(Written("20261026-120000F", ago(days=31)), *GOOD.ledger))) == []


def test_a_database_without_ledger_is_not_asked_for_one() -> None:
    bare = replace(DAILY, annotations={})
    seen = replace(GOOD, has_ledger=False, ledger=(), repository=replace(GOOD.repository, backups=(FULL, bare)))
    assert reasons(seen) == []


def test_reports() -> None:
    listed = list_json(GOOD)
    assert listed["backups"][1]["kind"] == "differential"
    assert listed["window"] == {
        "start": FULL.finished.isoformat(),
        "end": ago(days=0).isoformat(),
        "gaps": [],
        "unusable": [],
    }
    assert (
        check_json(WRONG["scheduler"], findings(WRONG["scheduler"], SETTINGS))["findings"][0]["reason"] == "scheduler"
    )
    assert DAILY.label in table(GOOD.repository.backups)
    assert window_text(WRONG["wal-missing"].window).splitlines()[1].endswith(f"({wal(3)})")
    assert [size(n) for n in (512, 2048, 5 * 2**30)] == ["512 B", "2.0 KiB", "5.0 GiB"]


def test_a_verified_repository_with_a_hole_is_not_whole() -> None:
    read = Verification((), {"F": True}, 3, 9)
    assert verify_json(read, GOOD.window)["ok"]
    assert not verify_json(read, WRONG["wal-missing"].window)["ok"]
    assert not verify_json(replace(read, faults=(Fault("f", "invalid checksum"),)), GOOD.window)["ok"]
