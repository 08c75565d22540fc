"""The Flows database on a real build of TimescaleDB's Apache edition, as Debian has it."""

from __future__ import annotations

import psycopg
import pytest

from tests.provider import apache

from . import plain_server

pytestmark = [pytest.mark.docker, pytest.mark.skipif(bool(plain_server.why_not()), reason=plain_server.why_not())]


def test_flows_comes_up_computes_and_is_kept_on_the_apache_edition() -> None:
    with plain_server.running() as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction(force_rollback=True):
            connection.execute("CREATE EXTENSION timescaledb")
            license = connection.execute("SHOW timescaledb.license").fetchone()
        if license != ("apache",):
            pytest.skip("the image under test has the Community edition")
        apache.all_of_it(dsn)
