"""What pgBackRest prints, as values: texts of 2.55.1 as it printed them; and the commands made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from components.containers.scheduler import TimedStatement
from flowsctl.backup.pgbackrest import PgBackRest, sentence
from flowsctl.backup.pgbackrest_output import parse_archive, parse_info, parse_verify, problem
from flowsctl.backup.tool import Kind, Moment, Target
from flowsctl.errors import EXIT_REFUSED, FlowsError

BACKUP = {
    "annotation": {"ledger": "7", "ledger-sha256": "abc"},
    "archive": {"start": "000000010000000000000005", "stop": "000000010000000000000006"},
    "database": {"id": 1, "repo-key": 1},
    "error": False,
    "info": {"delta": 303362, "repository": {"delta": 13168}, "size": 23438023},
    "label": "20261127-000327F_20261127-000510D",
    "lsn": {"start": "0/5000028", "stop": "0/6000050"},
    "prior": "20261127-000327F",
    "timestamp": {"start": 1795737910, "stop": 1795737912},
    "type": "diff",
}
WRONG_KEY = """\
[FormatError] unable to load info file '/r/backup/main/backup.info' or '/r/backup/main/backup.info.copy':
FormatError: key/value found outside of section at line 1: x
HINT: backup.info cannot be opened and is required to perform a backup."""
NOT_ALLOWED = """\
[FileOpenError] unable to load info file '/r/archive.info' or '/r/archive.info.copy':
FileOpenError: unable to open file '/r/archive.info' for read: [13] Permission denied
HINT: archive.info cannot be opened but is required to push/get WAL segments."""
VERIFY_HEAD = """\
2026-11-27 00:05:20.909 P00   INFO: verify command begin 2.55.1: --config=/run/flows/pgbackrest.conf --stanza=main
"""
VERIFY_GOOD = """\
2026-11-27 00:03:40.914 P00   INFO: stanza: main
                                    status: ok
                                      archiveId: 17-1, total WAL checked: 3, total valid WAL: 3
                                        missing: 0, checksum invalid: 0, size invalid: 0, other: 0
                      backup: 20261127-000327F, status: valid, total files checked: 966, total valid files: 966
                                        missing: 0, checksum invalid: 0, size invalid: 0, other: 0
stanza: main
status: ok
  archiveId: 17-1, total WAL checked: 3, total valid WAL: 3
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261127-000327F, status: valid, total files checked: 966, total valid files: 966
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
2026-11-27 00:03:40.915 P00   INFO: verify command end: completed successfully (1088ms)
"""
VERIFY_FLIPPED = """\
2026-11-27 00:05:21.805 P01   INFO: invalid checksum '20261127-000327F/bundle/2'
2026-11-27 00:05:21.963 P00   INFO: stanza: main
                                    status: error
                      backup: 20261127-000327F, status: invalid, total files checked: 966, total valid files: 965
                                        checksum invalid: 1
stanza: main
status: error
  backup: 20261127-000327F, status: invalid, total files checked: 966, total valid files: 965
    checksum invalid: 1
2026-11-27 00:05:21.970 P00   INFO: verify command end: completed successfully (1064ms)
"""
VERIFY_WRONG_KEY = """\
2026-11-27 00:05:10.592 P00   INFO: stanza: main
                                    status: error
                                      No usable backup.info file
                                      No usable archive.info file
stanza: main
status: error
  No usable backup.info file
  No usable archive.info file
"""


def stanza(code: int, message: str, **lock: Any) -> list[dict[str, Any]]:
    return [
        {
            "backup": [BACKUP],
            "cipher": "aes-256-cbc",
            "db": [{"id": 1, "system-id": 7712635047240122387, "version": "17"}],
            "repo": [{"cipher": "aes-256-cbc", "key": 1, "status": {"code": code, "message": message}}],
            "status": {"code": code, "lock": {"backup": {"held": False, **lock}}, "message": "other"},
        }
    ]


def test_a_backup() -> None:
    found = parse_info(stanza(0, "ok"))
    (backup,) = found.backups
    assert (found.problem, found.is_encrypted, found.progress) == ("", True, None)
    assert (backup.kind, backup.prior, backup.size, backup.stored) == (
        Kind.DIFFERENTIAL,
        "20261127-000327F",
        23438023,
        13168,
    )
    assert backup.finished == datetime(2026, 11, 27, 0, 5, 12, tzinfo=UTC)
    assert backup.annotations["ledger"] == "7"


def test_progress_of_a_running_backup() -> None:
    assert parse_info(stanza(0, "ok", held=True)).progress == 0.0
    assert parse_info(stanza(0, "ok", **{"held": True, "size": 200, "size-cplt": 50})).progress == 0.25


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (1, "missing stanza path", "its stanza was never made"),
        (
            99,
            WRONG_KEY,
            "does not open with this passphrase",
        ),
        (
            99,
            NOT_ALLOWED,
            "Permission denied",
        ),
    ],
)
def test_a_repository_that_cannot_be_read_says_why(code: int, message: str, words: str) -> None:
    assert words in parse_info(stanza(code, message)).problem


def test_a_wrong_passphrase_is_told_although_the_answer_quotes_what_it_decrypted() -> None:
    text = '[{"repo":[{"status":{"code":99,"message":"[FormatError] unable to load info file \'/r/backup.info\':\\n'
    garbage = 'FormatError: key/value found outside of section at line 1: \x01"\ufffd\\S'
    assert "does not open with this passphrase" in tool(text=text + garbage).info().problem


def test_a_repository_without_a_backup_is_no_problem() -> None:
    assert parse_info(stanza(2, "no valid backups")).problem == ""


def test_segments_and_timelines_by_the_names_of_files() -> None:
    folder = "17-1/0000000100000000"
    found = parse_archive(
        {
            ".": {"type": "path"},
            folder: {"type": "path"},
            f"{folder}/000000010000000000000002-{'b' * 40}.zst": {"type": "file", "size": 640, "time": 1795737808},
            f"{folder}/000000010000000000000001-{'a' * 40}.zst": {"type": "file", "size": 99, "time": 1795737805},
            f"{folder}/000000010000000000000003.00000028.backup": {"type": "file", "size": 400, "time": 1795737817},
            f"{folder}/000000010000000000000003.partial-{'c' * 40}.zst": {"type": "file", "size": 4, "time": 1},
            "17-1/00000002.history": {"type": "file", "size": 40, "time": 1},
            "archive.info": {"type": "file", "size": 368, "time": 1795737818},
        }
    )
    assert [each.name[-2:] for each in found.segments] == ["01", "02"]
    assert found.segments[0].archived == datetime(2026, 11, 27, 0, 3, 25, tzinfo=UTC)
    assert found.timelines == {2}


def test_verify_of_a_whole_repository() -> None:
    found = parse_verify(VERIFY_HEAD + VERIFY_GOOD)
    assert found.ok
    assert (found.wal_checked, found.files_checked, found.backups) == (3, 966, {"20261127-000327F": True})


def test_verify_names_the_file_whose_bytes_changed() -> None:
    found = parse_verify(VERIFY_HEAD + VERIFY_FLIPPED)
    assert not found.ok
    assert [(each.file, each.what) for each in found.faults] == [("20261127-000327F/bundle/2", "invalid checksum")]
    assert found.backups == {"20261127-000327F": False}


def test_verify_with_another_passphrase_is_a_fault_although_it_names_no_file() -> None:
    found = parse_verify(VERIFY_HEAD + VERIFY_WRONG_KEY)
    assert [each.what for each in found.faults] == ["No usable backup.info file; No usable archive.info file"]


def test_verify_names_a_file_that_it_could_not_read() -> None:
    line = "2026-11-27 00:05:21.805 P02   INFO: invalid result 17-1/0000/00AA-bb.zst: [95] unable to flush\n"
    assert [(each.file, each.what) for each in parse_verify(line + VERIFY_GOOD).faults] == [
        ("17-1/0000/00AA-bb.zst", "unable to flush")
    ]


@dataclass
class Answer:
    code: int = 0
    text: str = ""
    complaint: str = ""


class Answers:
    """A host whose commands have one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def execute(self, name: str, command: Sequence[str], *, user: str = "", timeout: float = 0) -> Answer:
        return self.answer


def tool(**answer: Any) -> PgBackRest:
    return PgBackRest(Answers(Answer(**answer)), "c")


def test_another_running_backup_is_refused() -> None:
    with pytest.raises(FlowsError, match="another backup is running") as error:
        tool(code=75, text="2026-11-27T00:00:00Z backup full refused: another backup is running\n").run(Kind.FULL)
    assert error.value.code == EXIT_REFUSED


def test_a_failed_command_ends_with_its_own_sentence() -> None:
    line = "P00  ERROR: [056]: unable to find primary cluster - cannot proceed\n HINT: are all in recovery?"
    with pytest.raises(FlowsError, match=r"pgbackrest check failed: unable to find primary cluster - cannot proceed$"):
        tool(code=56, text=line).check()
    assert sentence(Answer(1, "", "\n")) == "exit code 1"


def test_restores_stop_where_the_target_says_and_never_archive() -> None:
    def options(target: Target) -> list[str]:
        return [each for each in tool().restore_command(target) if each.startswith("--")][2:]

    noon = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    assert options(Target()) == ["--archive-mode=off", "--type=default"]
    assert options(Target(Moment.TIME, time=noon)) == [
        "--archive-mode=off",
        "--type=time",
        "--target=2026-11-26 12:00:00.000000+00",
        "--target-action=promote",
    ]
    assert options(Target(Moment.BACKUP, label="F", promote=False)) == [
        "--archive-mode=off",
        "--type=immediate",
        "--target-action=pause",
        "--set=F",
    ]
    with pytest.raises(FlowsError, match="a time with its zone"):
        options(Target(Moment.TIME, time=noon.replace(tzinfo=None)))


def test_a_timed_statement_stands_in_one_line() -> None:
    assert TimedStatement("prune", 60, 0, "select 1,\n  2").line() == "prune\t60\t0\tselect 1, 2"
    with pytest.raises(ValueError, match="comment"):
        TimedStatement("prune", 60, 0, "select 1 -- one\n, 2").line()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            (
                "[CryptoError] unable to verify certificate presented by '172.17.0.1:7070': [20] unable to get local "
                "issuer certificate"
            ),
            "unable to verify certificate presented by",
        ),
        (
            (
                "[ProtocolError] HTTP request failed with 403 (Forbidden):\n*** Path/Query ***:\nGET /copies/\n"
                "<Error><Code>SignatureDoesNotMatch</Code><Message>Check your key.</Message></Error>"
            ),
            "the bucket's service refuses: SignatureDoesNotMatch: Check your key.",
        ),
    ],
)
def test_what_a_bucket_s_service_does_wrong_is_not_called_a_wrong_passphrase(message: str, words: str) -> None:
    """Messages of 2.55.1 before versitygw 1.8.0."""
    assert words in problem(message)
    assert "passphrase" not in problem(message)
