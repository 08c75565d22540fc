"""Writes flowsctl/site/queries/measured.json: what the query patterns return and read on demo data.

`python -m tools.patterns DSN`: the connection string of the administrator of an embedded stack that holds the demo data
that the page names, and nothing else. tests/stack/test_site.py fails while the file is not what this writes.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import psycopg

from flowsctl.site.measure import measure_all
from flowsctl.site.patterns import MEASURED, READER, TAKEN_OUT


def connect(dsn: str, **parameters: Any) -> psycopg.Connection[Any]:
    """A connection in autocommit; the embedded server has no named prepared statements."""
    return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, **parameters)


def main(dsn: str) -> None:
    """Measure and write."""
    with connect(dsn) as admin, connect(dsn, user=READER) as reader:
        admin.execute(TAKEN_OUT.encode())
        found = measure_all(reader, admin)
    text = json.dumps({slug: each.as_json() for slug, each in found.items()}, indent=1, ensure_ascii=False)
    MEASURED.write_text(text + "\n", encoding="utf-8")
    print(f"{len(found)} patterns measured", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
