"""What pgBackRest prints, as values. Formats seen with 2.55.1 (`info` JSON, `repo-ls` JSON, `verify` text)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .tool import Archive, Backup, Fault, Kind, Repository, Segment, Verification

STATUS_OK = 0
STATUS_NO_STANZA = 1
STATUS_NO_BACKUP = 2
KINDS = {"full": Kind.FULL, "diff": Kind.DIFFERENTIAL, "incr": Kind.INCREMENTAL}

SEGMENT = re.compile(r"(?:^|/)(?P<name>[0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$")
HISTORY = re.compile(r"(?:^|/)(?P<timeline>[0-9A-F]{8})\.history(?:\.\w+)?$")

# Log lines of verify (its source, verify.c): "invalid checksum 'LABEL/bundle/2'", "invalid result PATH: [95] sentence".
BAD_FILE = re.compile(
    r"P\d\d\s+\w+: (?P<what>file missing|invalid checksum|invalid size|invalid result) '(?P<file>[^']+)'"
)
UNREADABLE_FILE = re.compile(r"P\d\d\s+\w+: invalid result (?P<file>[^\s']+): \[\d+\] (?P<what>.*)")
WAL_TOTALS = re.compile(r"^\s+archiveId: .*total WAL checked: (\d+), total valid WAL: (\d+)")
BACKUP_TOTALS = re.compile(
    r"^\s+backup: (?P<label>\S+), status: (?P<status>[^,]+)(?:, total files checked: (?P<files>\d+))?"
)
WRONG_KEY = re.compile(r"FormatError: (key/value|invalid|.* at line 1)|CryptoError")
REFUSED = re.compile(r"<Code>(?P<code>\w+)</Code>\s*<Message>(?P<said>[^<]*)</Message>")
STATUS = re.compile(r"^status: (?P<status>\w+)", re.MULTILINE)


def parse_info(stanzas: list[dict[str, Any]]) -> Repository:
    """From `info --output=json` of one stanza."""
    if not stanzas:
        return Repository((), problem="the repository is empty")
    found = stanzas[0]
    # A repository that cannot be read is told of in its own entry; the stanza's then says "other".
    status = next((each["status"] for each in found.get("repo", ()) if each["status"]["code"]), found["status"])
    databases = found.get("db") or [{}]
    return Repository(
        backups=tuple(sorted((_backup(each) for each in found["backup"]), key=lambda each: each.finished)),
        problem=_problem(int(status["code"]), str(status["message"])),
        system_identifier=int(databases[-1].get("system-id", 0)),
        is_encrypted=found.get("cipher", "none") not in ("none", ""),
        progress=_progress(found["status"].get("lock", {}).get("backup", {})),
    )


def _problem(code: int, message: str) -> str:
    if code in (STATUS_OK, STATUS_NO_BACKUP):
        return ""
    if code == STATUS_NO_STANZA:
        return "the repository holds nothing: its stanza was never made, or the repository is gone"
    return problem(message)


def problem(message: str) -> str:
    """Why a repository cannot be read, from pgBackRest's message of several lines, without what it quotes of a file."""
    lines = ["".join(letter for letter in line if letter.isprintable()).strip() for line in message.splitlines()]
    if refused := REFUSED.search(message):
        return f"the bucket's service refuses: {refused['code']}: {refused['said']}"
    # It is an error of cryptography too, as a passphrase that does not fit is.
    if "unable to verify certificate" not in message and WRONG_KEY.search(message):
        return "it does not open with this passphrase: what is decrypted with it is no info file"
    return lines[0] + (f" ({lines[1]})" if len(lines) > 1 else "") if lines else "no reason was given"


def _progress(lock: Mapping[str, Any]) -> float | None:
    if not lock.get("held"):
        return None
    total = int(lock.get("size") or 0)
    return min(1.0, int(lock.get("size-cplt") or 0) / total) if total else 0.0


def _backup(entry: Mapping[str, Any]) -> Backup:
    return Backup(
        label=str(entry["label"]),
        kind=KINDS[entry["type"]],
        started=_time(entry["timestamp"]["start"]),
        finished=_time(entry["timestamp"]["stop"]),
        lsn_start=str(entry["lsn"]["start"]),
        lsn_stop=str(entry["lsn"]["stop"]),
        wal_start=str(entry["archive"]["start"]),
        wal_stop=str(entry["archive"]["stop"]),
        size=int(entry["info"]["size"]),
        stored=int(entry["info"]["repository"]["delta"]),
        prior=str(entry.get("prior") or ""),
        annotations={str(key): str(value) for key, value in (entry.get("annotation") or {}).items()},
        has_bad_pages=bool(entry.get("error")),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def parse_archive(files: Mapping[str, Mapping[str, Any]]) -> Archive:
    """From `repo-ls --recurse --output=json archive/STANZA`."""
    segments = [
        Segment(match["name"], _time(entry["time"]), int(entry["size"]))
        for path, entry in files.items()
        if entry["type"] == "file" and (match := SEGMENT.search(path))
    ]
    timelines = {int(match["timeline"], 16) for path in files if (match := HISTORY.search(path))}
    return Archive(tuple(sorted(segments, key=lambda each: each.name)), frozenset(timelines))


def parse_verify(text: str) -> Verification:
    """From `verify --output=text --verbose` with its log lines."""
    faults, backups, wal, files = list(_faults(text)), {}, 0, 0
    for line in text.splitlines():
        if (match := WAL_TOTALS.match(line)) and not line.startswith(" " * 20):
            wal += int(match[1])
        if (match := BACKUP_TOTALS.match(line)) and not line.startswith(" " * 20):
            backups[match["label"]] = match["status"] == "valid"
            files += int(match["files"] or 0)
    status = STATUS.search(text)
    if (status is None or status["status"] != "ok") and not faults and all(backups.values()):
        # It says that something is wrong, but not of which file: a repository that it cannot read at all.
        faults.append(Fault("repository", _last_words(text)))
    return Verification(tuple(faults), backups, wal, files)


def _faults(text: str) -> Iterator[Fault]:
    for pattern in (BAD_FILE, UNREADABLE_FILE):
        for match in pattern.finditer(text):
            yield Fault(match["file"], match["what"].strip())


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.startswith("  ") and line.strip()]
    return "; ".join(dict.fromkeys(line for line in lines if "status:" not in line)) or "no status was reported"
