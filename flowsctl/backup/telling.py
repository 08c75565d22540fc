"""Backups, the window and what is wrong, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .checking import Finding
from .evidence import Evidence
from .tool import LEDGER, Backup, Verification
from .window import Window

KINDS = {"full": "full", "diff": "differential", "incr": "incremental"}


def backup_json(backup: Backup) -> dict[str, Any]:
    """One backup of `list --json`. Times are ISO 8601 in UTC, sizes bytes."""
    return {
        "label": backup.label,
        "kind": KINDS[backup.kind],
        "started": backup.started.isoformat(),
        "finished": backup.finished.isoformat(),
        "database_bytes": backup.size,
        "stored_bytes": backup.stored,
        "wal_start": backup.wal_start,
        "wal_stop": backup.wal_stop,
        "ledger": backup.annotations.get(LEDGER),
        "notes": {key: value for key, value in backup.annotations.items() if not key.startswith(LEDGER)},
    }


def window_json(window: Window) -> dict[str, Any]:
    """The restorable window."""
    return {
        "start": _iso(window.start),
        "end": _iso(window.end),
        "gaps": [{"start": _iso(gap.start), "end": _iso(gap.end), "missing": list(gap.missing)} for gap in window.gaps],
        "unusable": list(window.unusable),
    }


def list_json(seen: Evidence) -> dict[str, Any]:
    """`backup list --json`."""
    return {
        "backups": [backup_json(each) for each in seen.repository.backups],
        "window": window_json(seen.window),
        "running": seen.repository.progress,
        "wal_bytes": sum(each.size for each in seen.archive.segments),
        "free_bytes": seen.free[0] if seen.free else None,
    }


def check_json(seen: Evidence, found: Sequence[Finding]) -> dict[str, Any]:
    """`backup check --json`."""
    return {
        "ok": not found,
        "findings": [{"reason": each.reason, "sentence": each.sentence, "next": each.way_out} for each in found],
        "window": window_json(seen.window),
        "newest_backup": seen.repository.backups[-1].label if seen.repository.backups else None,
    }


def verify_json(found: Verification, window: Window) -> dict[str, Any]:
    """`backup verify --json`."""
    return {
        "ok": found.ok and not window.missing,
        "faults": [{"file": each.file, "what": each.what} for each in found.faults],
        "backups": dict(found.backups),
        "wal_checked": found.wal_checked,
        "wal_missing": list(window.missing),
        "files_checked": found.files_checked,
    }


def table(backups: Sequence[Backup]) -> str:
    """The backups, a row each."""
    rows = [("backup", "kind", "finished (UTC)", "took", "database", "stored", "ledger")]
    for each in backups:
        took = (each.finished - each.started).total_seconds()
        rows.append(
            (
                each.label,
                KINDS[each.kind],
                f"{each.finished:%Y-%m-%d %H:%M:%S}",
                f"{took:.0f} s",
                size(each.size),
                size(each.stored),
                each.annotations.get(LEDGER, "none"),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def window_text(window: Window) -> str:
    """The window and its gaps in sentences."""
    if window.start is None:
        return "nothing can be restored yet"
    lines = [f"every moment from {_time(window.start)} to {_time(window.end)} can be restored"]
    if window.gaps:
        lines[0] += ", but for:"
    for gap in window.gaps:
        until = _time(gap.end) if gap.end else "now"
        lines.append(f"  {_time(gap.start)} to {until}: WAL is missing ({', '.join(gap.missing[:5]) or 'none named'})")
    return "\n".join(lines)


def size(count: int) -> str:
    """Bytes for people."""
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
