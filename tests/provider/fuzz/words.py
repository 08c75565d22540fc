"""Names, comments, expressions and queries that a server accepts and a careless provider does not survive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from pulumi_timescaledb.sqltext import ident, literal

from ...properties import names as any_name
from ...properties import texts
from . import world

_SYSTEM = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "public", "none"}
names = st.one_of(
    any_name,
    st.sampled_from(
        [
            "select",
            "Mixed Case",
            "x" * 63,
            "ü" * 31,
            "€" * 21,
            'q"q',
            "it's",
            "a.b",
            "$1",
            "$body$",
            "--",
            "(",
            "{{ x }}",
        ]
    ),
).filter(lambda name: name not in _SYSTEM and not name.startswith(("pg_", "_timescaledb", "_materialized_hypertable")))
"""Identifiers that may be given to anything."""
comments = st.one_of(st.none(), texts.filter(bool), st.sampled_from(["it's", "$body$ \\ '", "--", "{{ x }}"]))
owners = st.sampled_from([None, *world.ROLES])
literals = st.one_of(texts, st.sampled_from(["it's", "a\\b", "", ";--", "/*", "*/", "$$", '"'])).map(literal)
numbers = st.integers(-(2**20), 2**20)
intervals = st.one_of(
    st.integers(1, 400).map("{} days".format),
    st.integers(1, 50_000).map("{} minutes".format),
    st.integers(1, 30).map("{} months".format),
    st.builds(
        "{} day {}:{:02d}:{:02d}".format, st.integers(1, 99), st.integers(0, 30), st.integers(0, 59), st.integers(0, 59)
    ),
)
"""Whole seconds: policies keep no less."""


_PLACE = re.compile(r"\{(\w)\}")
_NOISE = ["{e}"] * 4 + ["({e})", " {e} ", "/* {n} */ {e}", "{e} -- {n}\n", "\n{e}\t", "{e} /* /* {n} */ */"]
_INTEGERS = [
    "({i} {o} {i})",
    "abs({i})",
    "coalesce({i}, {i})",
    "CASE WHEN {i} > {i} THEN 1 ELSE {i} END",
    "length({l})",
]
_INTEGERS += ["greatest({i}, {i}::integer)", "-({i})", "({i})::bigint::integer"]
_STRINGS = ["({s} || {s})", "lower({s})", '({s} COLLATE "C")', "substr({s}, {d})", "coalesce(nullif({s}, ''), {l})"]
_STRINGS += ["({s})::character varying(20)", "({s})::text", "CASE {i} WHEN 1 THEN {s} ELSE {l} END"]
_SIMPLE = ["{i} {c} {i}", "{s} {w} {s}", "{i} IS NOT NULL", "{i} BETWEEN {i} AND {i}", "{s} IN ({l}, {l})"]
_SIMPLE += ["{i} = ANY (ARRAY[{i}, {i}])", "{s} IS DISTINCT FROM {s}", "{f}", "{i} NOT IN (1, 2)", "{s} {m} {p}"]
_CONDITIONS = ["({b}) AND ({b})", "({b}) OR ({b})", "NOT ({b})", "(({b})) IS NOT TRUE", "{b}"]
_OPERATORS = {
    "o": st.sampled_from(["+", "-", "&", "|", "#"]),
    "c": st.sampled_from(["=", "<>", "<", ">=", "!="]),
    "w": st.sampled_from(["=", "<", "<>", ">="]),
    "m": st.sampled_from(["~", "!~*", "LIKE", "!~~", "NOT LIKE"]),
    # Good for both languages: the server computes a constant match while it creates the object.
    "p": st.sampled_from(["'it''s%'", "'^[a-z_]+$'", r"E'a\\.b'", "'%;--%'", "'\"|[/][*]'"]),
    "d": st.sampled_from(["1", "9"]),
    "l": literals,
}


@st.composite
def noisy(draw: st.DrawFn, expression: str) -> str:
    """The same expression with comments and white space that mean nothing."""
    noise = draw(st.text(st.sampled_from("a'\";-$\\é ("), max_size=6))
    return draw(st.sampled_from(_NOISE)).replace("{n}", noise).replace("{e}", expression)


@dataclass(frozen=True)
class _Columns:
    """What expressions may name, as SQL."""

    integers: tuple[str, ...]
    texts: tuple[str, ...]
    flags: tuple[str, ...]


def _leaf(draw: st.DrawFn, kind: str, columns: _Columns) -> str:
    names_, plain = {
        "i": (columns.integers, st.one_of(st.integers(0, 99).map(str), numbers.map("({})".format))),
        "s": (columns.texts, literals),
        "f": (columns.flags, st.sampled_from(["true", "false"])),
    }[kind]
    return draw(st.sampled_from(names_)) if names_ and draw(st.booleans()) else draw(plain)


@st.composite
def _expression(draw: st.DrawFn, kind: str, columns: _Columns, depth: int) -> str:
    if kind in _OPERATORS:
        return draw(_OPERATORS[kind])
    if kind in "isf" and (depth <= 0 or kind == "f" or draw(st.booleans())):
        return _leaf(draw, kind, columns)
    forms = {"i": _INTEGERS, "s": _STRINGS, "b": _CONDITIONS if depth > 1 else _SIMPLE}[kind]
    form = draw(st.sampled_from(forms))
    text = _PLACE.sub(lambda match: draw(_expression(match[1], columns, depth - 1)), form)
    return draw(noisy(text)) if kind != "b" or depth > 1 else text


def integers(columns: tuple[str, ...], depth: int = 2) -> st.SearchStrategy[str]:
    """Immutable integer expressions; columns are names."""
    return _expression("i", _Columns(tuple(map(ident, columns)), (), ()), depth)


def strings(columns: tuple[str, ...], depth: int = 2) -> st.SearchStrategy[str]:
    """Immutable text expressions."""
    return _expression("s", _Columns((), tuple(map(ident, columns)), ()), depth)


def conditions(
    ints: tuple[str, ...], words: tuple[str, ...], flags: tuple[str, ...] = (), depth: int = 2
) -> st.SearchStrategy[str]:
    """Immutable conditions over columns."""
    columns = _Columns(tuple(map(ident, ints)), tuple(map(ident, words)), tuple(map(ident, flags)))
    return _expression("b", columns, depth)


base_integers = integers(world.INTEGERS)
base_strings = strings(world.TEXTS)
base_conditions = conditions(world.INTEGERS, world.TEXTS, world.FLAGS)
_odd = st.sampled_from(
    [
        f"{ident('at')} AT TIME ZONE 'Europe/London'",
        f"{ident('doc')} -> 'a' ->> 'b\"'",
        f"{ident('tags[]')}[1]",
        f"{ident('mood')}::text",
        f"{ident('größe')} * 1.50",
        "NULL::integer[]",
        "ARRAY['it''s', NULL]::text[]",
        "INTERVAL '1 mon 2 days'",
        "row_number() OVER (ORDER BY id)",
        "(SELECT max(id) FROM " + world.name(world.OTHER) + ")",
        "current_user",
    ]
)
items = st.one_of(base_integers, base_strings, base_conditions.map("({})".format), _odd)
aliases = st.lists(names, min_size=1, max_size=4, unique=True)


_BASE, _OTHER = world.name(world.BASE), world.name(world.OTHER)
_SOURCES = st.sampled_from(
    [
        _BASE,
        f"ONLY {_BASE}",
        f"{_BASE} AS {ident('B; x')}",
        f"(SELECT * FROM {_OTHER} WHERE id > 0) AS s",
        f"{world.name(world.VIEW)} JOIN (SELECT * FROM {_BASE}) z USING (id, {ident('select')})",
    ]
)
_WHERES = st.one_of(st.just(""), base_conditions.map(" WHERE {}".format))
_TAILS = st.sampled_from(["", "", " LIMIT 5", " ORDER BY 1 DESC NULLS LAST", " OFFSET 1 -- end", "; ", " /* ; */ ;"])
_FORMS = ["{}", "{}", "WITH c AS (SELECT 1 AS one) {}", "{u}", "SELECT * FROM ({}) q", "SELECT DISTINCT * FROM ({}) q"]


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, list[str]]:
    """(query, its column names) over the world's tables."""
    columns = draw(aliases)
    chosen = ", ".join(f"{draw(items)} AS {ident(column)}" for column in columns)
    source, where, tail = draw(_SOURCES), draw(_WHERES), draw(_TAILS)
    form = draw(st.sampled_from(_FORMS))
    query = f"SELECT {chosen} FROM {source}{where}"
    if form == "{u}":
        return f"{query} UNION ALL {query}{tail}", columns
    return (form.format("{}").replace("{}", query) + (tail if form == "{}" else "")), columns


@st.composite
def growing_queries(draw: st.DrawFn) -> tuple[str, str]:
    """(query, another that begins with its columns, from the same relation)."""
    columns = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    chosen = [f"{draw(items)} AS {ident(column)}" for column in columns]
    head = draw(st.sampled_from(["SELECT", "SELECT DISTINCT", "WITH c AS (SELECT 1 AS one) SELECT"]))
    source = draw(_SOURCES)
    first, second = (
        f"{head} {', '.join(chosen[:count])} FROM {source}{draw(_WHERES)}{draw(_TAILS)}"
        for count in (draw(st.integers(1, len(columns))), len(columns))
    )
    return first, second


@st.composite
def aggregate_queries(draw: st.DrawFn) -> tuple[str, list[str]]:
    """(query, its column names) of a continuous aggregate on the world's hypertable."""
    columns = draw(st.lists(names, min_size=3, max_size=5, unique=True))
    sums = [
        draw(
            st.sampled_from(
                [
                    f"sum({world.KWH})",
                    "count(*)",
                    f"max({ident(world.PLACE)})",
                    f"avg({world.KWH}) FILTER (WHERE {world.KWH} > 0)",
                    f"first({world.KWH}, at)",
                ]
            )
        )
        for _ in columns[2:]
    ]
    bucket = draw(
        st.sampled_from(
            ["'1 hour'", "INTERVAL '15 minutes'", "'1 day'", "'1 month'", "'1 day', timezone => 'Europe/London'"]
        )
    )
    bucket = bucket.replace(", timezone", ", at, timezone") if "timezone" in bucket else f"{bucket}, at"
    key = draw(
        st.one_of(
            st.just(ident(world.DEVICE)),
            integers((world.DEVICE,), 1).filter(lambda text: world.DEVICE in text),
            st.just(f"lower({ident(world.PLACE)})"),
        )
    )
    where = draw(st.one_of(st.just(""), conditions((world.DEVICE,), (world.PLACE,), (), 1).map(" WHERE {}".format)))
    parts = [f"time_bucket({bucket})", key, *sums]
    chosen = ", ".join(f"{part} AS {ident(column)}" for part, column in zip(parts, columns, strict=True))
    having = draw(st.sampled_from(["", "", " HAVING count(*) > 1"]))
    return f"SELECT {chosen} FROM {world.name(world.SERIES)}{where}\nGROUP BY 1, 2{having}", columns


def some(values: tuple[str, ...], least: int = 1, most: int = 3) -> st.SearchStrategy[list[str]]:
    """A few different ones."""
    return st.lists(st.sampled_from(values), min_size=least, max_size=min(most, len(values)), unique=True)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """That, or nothing."""
    return st.one_of(st.none(), strategy)


parameters = st.fixed_dictionaries(
    {},
    optional={
        "fillfactor": st.integers(10, 100).map(str),
        "autovacuum_enabled": st.sampled_from(["on", "off", "true", "0"]),
        "autovacuum_vacuum_scale_factor": st.sampled_from(["0.05", "1e-1", ".5"]),
        "user_catalog_table": st.just("false"),
        "toast.autovacuum_enabled": st.sampled_from(["yes", "no"]),
        "toast.vacuum_index_cleanup": st.sampled_from(["auto", "off"]),
    },
)
"""Storage parameters of tables and materialized views."""
