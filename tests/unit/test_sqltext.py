"""Quoting and lexing; what the real server makes of it is in tests/provider/test_quoting.py."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_timescaledb.sqltext import (
    display,
    dollar_quoted,
    ident,
    literal,
    mentioned_names,
    parse_display,
    qualified,
)

from ..properties import DETERMINISTIC, hostile, names, texts


def _unquoted(text: str) -> str:
    """An SQL string constant read back as the server would."""
    escaped = text.startswith("E'")
    inner = text.removeprefix("E")[1:-1].replace("''", "'")
    return inner.replace("\\\\", "\\") if escaped else inner


@DETERMINISTIC
@given(st.lists(names, min_size=1, max_size=4))
@example(["Order", "select", "a.b", 'x"y', " ", "é"])
def test_display_round_trip(parts: list[str]) -> None:
    assert parse_display(display(*parts)) == tuple(parts)


@DETERMINISTIC
@given(names)
def test_ident_is_one_token(name: str) -> None:
    assert list(mentioned_names(ident(name))) == [(name,)]


@DETERMINISTIC
@given(st.lists(names, min_size=1, max_size=3))
def test_qualified_is_one_name(parts: list[str]) -> None:
    assert list(mentioned_names(f"SELECT {qualified(*parts)}")) == [("select",), tuple(parts)]


@DETERMINISTIC
@given(st.one_of(texts, hostile))
def test_literal_hides_its_text(text: str) -> None:
    sql = literal(text)
    assert _unquoted(sql) == text
    assert list(mentioned_names(sql)) == []


@DETERMINISTIC
@given(st.one_of(texts, hostile))
@example("$body$ $body1$")
@example("ends with $body")
def test_dollar_quoted_hides_its_text(body: str) -> None:
    sql = dollar_quoted(body)
    tag = sql[: sql.index("$", 1) + 1]
    assert sql == f"{tag}{body}{tag}"
    assert sql.find(tag, len(tag)) == len(tag) + len(body)  # the first end is the last one
    assert list(mentioned_names(sql)) == []


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (False, "FALSE"),
        (5, "5"),
        (-1.5, "-1.5"),
        ("it's", "'it''s'"),
        ("\\", "E'\\\\'"),
        ("", "''"),
    ],
)
def test_literal(value: str | float | bool | None, sql: str) -> None:
    assert literal(value) == sql


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a b", "A", "a-b", '"a', "a.'b'", "1a", "a; DROP"])
def test_parse_display_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="not a dotted name"):
        parse_display(text)


@pytest.mark.parametrize(
    ("sql", "found", "absent"),
    [
        ('SELECT * FROM Flows."Escos" e', ("flows", "Escos"), ("flows", "escos")),
        ("SELECT a.b -- flows.hidden\nFROM x", ("a", "b"), ("flows", "hidden")),
        ("SELECT /* flows.hidden */ 1", ("select",), ("flows", "hidden")),
        ("SELECT 'flows.hidden', E'it\\'s flows.hidden'", ("select",), ("flows", "hidden")),
        ("DO $x$ flows.hidden $x$ flows.seen", ("flows", "seen"), ("flows", "hidden")),
        ("flows . f(1)", ("flows", "f"), ("flows",)),
        ("'2026'::flows.mood", ("flows", "mood"), ("flows",)),
        ("flows.é", ("flows", "é"), ("flows",)),
    ],
)
def test_mentioned_names(sql: str, found: tuple[str, ...], absent: tuple[str, ...]) -> None:
    mentioned = set(mentioned_names(sql))
    assert found in mentioned
    assert absent not in mentioned
