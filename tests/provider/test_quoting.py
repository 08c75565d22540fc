"""Hostile names and texts through the real server and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_timescaledb.settings import setting_value
from pulumi_timescaledb.sqltext import display, dollar_quoted, ident, literal, parse_display, qualified

from ..properties import DETERMINISTIC, hostile, names, texts

pytestmark = pytest.mark.server
Connection = psycopg.Connection[Any]
any_text = st.one_of(texts, hostile)


@pytest.fixture(scope="module")
def connection(shared_dsn: str) -> Iterator[Connection]:
    with psycopg.connect(shared_dsn, prepare_threshold=None) as made:
        yield made
        made.rollback()


def _one(connection: Connection, sql: str) -> Any:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]


@DETERMINISTIC
@given(any_text)
@example("it's \\ \n")
def test_literals(connection: Connection, text: str) -> None:
    assert _one(connection, f"SELECT {literal(text)}") == text


@DETERMINISTIC
@given(any_text)
def test_literals_whatever_the_session_thinks_of_backslashes(connection: Connection, text: str) -> None:
    connection.execute("SET LOCAL standard_conforming_strings TO off")
    try:
        assert _one(connection, f"SELECT {literal(text)}") == text
    finally:
        connection.execute("SET LOCAL standard_conforming_strings TO on")


@DETERMINISTIC
@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)))
def test_scalars(connection: Connection, value: float | bool) -> None:
    kind = "double precision" if isinstance(value, float) else "text"
    found = _one(connection, f"SELECT ({literal(value)})::{kind}")
    assert found == (value if isinstance(value, float) else str(value).lower())


@DETERMINISTIC
@given(names)
@example("x" * 63)
def test_identifiers(connection: Connection, name: str) -> None:
    cursor = connection.execute(f"SELECT 1 AS {ident(name)}".encode())
    assert cursor.description is not None
    assert cursor.description[0].name == name


@DETERMINISTIC
@given(names)
def test_the_server_reads_and_writes_the_same_name(connection: Connection, name: str) -> None:
    assert _one(connection, f"SELECT pg_catalog.parse_ident({literal(ident(name))})") == [name]
    written = _one(connection, f"SELECT pg_catalog.format('%I', {literal(name)})")
    assert _one(connection, f"SELECT pg_catalog.parse_ident({literal(display(name))})") == [name]
    if written.startswith('"'):
        assert parse_display(written) == (name,)


@DETERMINISTIC
@given(names, names)
def test_objects(connection: Connection, schema: str, table: str) -> None:
    schema = f"s {schema}"[:15]  # pg_ is reserved
    connection.execute("SAVEPOINT one")
    try:
        connection.execute(f"CREATE SCHEMA {ident(schema)}; CREATE TABLE {qualified(schema, table)} (x int)".encode())
        assert (
            _one(connection, f"SELECT relname FROM pg_class WHERE oid = {literal(qualified(schema, table))}::regclass")
            == table
        )
    finally:
        connection.execute("ROLLBACK TO SAVEPOINT one")


@DETERMINISTIC
@given(any_text)
@example("$body$ $body1$ $body")
def test_dollar_quotes(connection: Connection, body: str) -> None:
    assert _one(connection, f"SELECT {dollar_quoted(body)}") == body


@DETERMINISTIC
@given(any_text)
def test_settings(connection: Connection, text: str) -> None:
    connection.execute(f"SET LOCAL x.y TO {setting_value('x.y', text)}".encode())
    assert _one(connection, "SELECT pg_catalog.current_setting('x.y')") == text
