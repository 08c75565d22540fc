"""What the rule on column rights and columnstores keeps programs from, on the server itself."""

from __future__ import annotations

import psycopg
import pytest

pytestmark = pytest.mark.server
SETUP = """
CREATE ROLE column_reader;
CREATE TABLE lamp (at timestamptz NOT NULL, id integer);
SELECT create_hypertable('lamp', by_range('at'));
GRANT SELECT (id) ON lamp TO column_reader;
ALTER TABLE lamp SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'id');
"""


def test_the_server_fails_with_a_name_that_nobody_declared(shared_dsn: str) -> None:
    """If this passes some day, `column_rights_and_columnstore` refuses too much for that version."""
    with psycopg.connect(shared_dsn) as connection:
        connection.execute(SETUP.encode())
        with pytest.raises(psycopg.errors.UndefinedColumn, match='"id" of relation "_compressed_hypertable'):
            connection.execute(b"GRANT SELECT (id) ON lamp TO column_reader")
        connection.rollback()
