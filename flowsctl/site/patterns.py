"""The query patterns: one SQL file each, with what was measured of it on demo data.

A file begins with comments `-- topic:`, `-- title:`, maybe `-- note:` and `-- moves: now` (its result depends on the
time of day, or `sizes`, on how the server stores rows, so none is shown). measured.json holds rows and chunks; it is
written by `python -m tools.patterns` and a test fails while it is not what the queries really return.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "queries"
MEASURED = FOLDER / "measured.json"
READER = "grafanareader"
"""Role that the queries run as: it only reads, and what it sees is bound to it."""
DEMO = ("demo", "load", "--escos", "2", "--meters", "40", "--days", "31", "--until", "2026-06-01T00:00:00+00:00")
"""The data behind the figures, as arguments of flowsctl."""
TAKEN_OUT = """\
DELETE FROM flows.register_interval_hh i USING flows.meter_registers r, flows.meter_registry m
WHERE r.register_id = i.register_id AND m.id = r.meter_id AND m.serial = 'EML2100000000'
    AND i.timestamp IN ('2026-05-31 11:00+00', '2026-05-31 11:30+00', '2026-05-31 12:00+00')"""
"""Demo half-hours have no gaps: these three are deleted, so that the patterns that look for gaps find some."""


@dataclass(frozen=True)
class Pattern:
    """One question and the query that answers it."""

    slug: str
    topic: str
    title: str
    note: str
    moves: str
    sql: str

    @property
    def relations(self) -> tuple[str, ...]:
        """Names of the `api` views it reads, which are those of the relations behind them."""
        return tuple(dict.fromkeys(re.findall(r"\bapi\.(\w+)(?!\w*\()", self.sql)))


@dataclass(frozen=True)
class Measured:
    """What a pattern did: per series the chunks it read and all there are, the rows, and the first of them as text."""

    chunks: Mapping[str, tuple[int, int]]
    rows: int
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """The form kept in measured.json."""
        return {
            "chunks": {name: list(counts) for name, counts in self.chunks.items()},
            "rows": self.rows,
            "columns": list(self.columns),
            "sample": [list(row) for row in self.sample],
        }


def patterns() -> list[Pattern]:
    """Every pattern, in the order of the page."""
    return [_read(path) for path in sorted(FOLDER.glob("*.sql"))]


def _read(path: Path) -> Pattern:
    head: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    while lines and (found := re.match(r"-- (\w+): (.*)", lines[0])):
        head[found[1]] = found[2]
        lines.pop(0)
    slug = path.stem.partition("_")[2].replace("_", "-")
    sql = "\n".join(lines).strip()
    return Pattern(slug, head["topic"], head["title"], head.get("note", ""), head.get("moves", ""), sql)


def measured() -> dict[str, Measured]:
    """What was measured of each pattern whose result does not move, by slug."""
    kept = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {
        slug: Measured(
            {name: (counts[0], counts[1]) for name, counts in row["chunks"].items()},
            row["rows"],
            tuple(row["columns"]),
            tuple(tuple(values) for values in row["sample"]),
        )
        for slug, row in kept.items()
    }
