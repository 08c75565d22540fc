"""What generated specs refer to: a schema with relations, types, functions and roles under awkward names."""

from __future__ import annotations

from pulumi_timescaledb.sqltext import ident, qualified

SCHEMA = 'Fuzz "é"; --'
ROLES = ("Róle 1", "role'2", "select")
BASE, OTHER, SERIES, PLAIN, HOURLY, VIEW = "Base", 'oth"er; DROP', "séries", "pläin", "Hourly'", "A \\ view"
TRIGGER_FUNCTION, PROCEDURE = "trig.ger", "run (it)"
MOOD, AMOUNT, SEQUENCE = "Mood, (x)", "Amount", "Séq'"

INTEGERS, TEXTS, FLAGS, NUMBERS = ("id", "Mixed Case"), ("select", "t\\ext"), ('qu"ote',), ("größe",)
ARRAYS, MOMENTS, DOCUMENTS, MOODS = ("tags[]",), ("at",), ("doc",), ("mood",)
COLUMNS = (*INTEGERS, *TEXTS, *FLAGS, *NUMBERS, *ARRAYS, *MOMENTS, *DOCUMENTS, *MOODS)
DEVICE, PLACE, KWH = "Device é", "pla,ce", "kwh"


def name(*parts: str) -> str:
    """A name in the world's schema, as SQL."""
    return qualified(SCHEMA, *parts)


def _base(table: str) -> str:
    types = {
        **dict.fromkeys(INTEGERS, "integer"),
        **dict.fromkeys(TEXTS, "text"),
        **dict.fromkeys(FLAGS, "boolean"),
        **dict.fromkeys(NUMBERS, "numeric(10,2)"),
        **dict.fromkeys(ARRAYS, "text[]"),
        **dict.fromkeys(MOMENTS, "timestamptz"),
        **dict.fromkeys(DOCUMENTS, "jsonb"),
        **dict.fromkeys(MOODS, name(MOOD)),
    }
    columns = ", ".join(f"{ident(column)} {kind}" for column, kind in types.items())
    pair = f"{ident('id')}, {ident('Mixed Case')}"
    return f"CREATE TABLE {name(table)} ({columns}, PRIMARY KEY (id), UNIQUE ({pair}))"


def _series(table: str) -> str:
    columns = f"at timestamptz NOT NULL, {ident(DEVICE)} integer NOT NULL, {ident(PLACE)} text, {KWH} float8"
    return f"CREATE TABLE {name(table)} ({columns})"


_HOURLY = (
    f'SELECT time_bucket(\'1 hour\', at) AS "Ho""ur", {ident(DEVICE)}, sum({KWH}) AS kwh '
    f"FROM {name(SERIES)} GROUP BY 1, 2"
)
MADE = ";\n".join(
    [
        *(f"CREATE ROLE {ident(role)}" for role in ROLES),
        f"CREATE SCHEMA {ident(SCHEMA)}",
        f"GRANT ALL ON SCHEMA {ident(SCHEMA)} TO {', '.join(map(ident, ROLES))}",
        f"CREATE TYPE {name(MOOD)} AS ENUM ('a', 'B''b', 'ç d')",
        f"CREATE DOMAIN {name(AMOUNT)} AS numeric(10,2) CHECK (VALUE >= 0)",
        f"CREATE SEQUENCE {name(SEQUENCE)}",
        _base(BASE),
        _base(OTHER),
        _series(SERIES),
        _series(PLAIN),
        f"SELECT create_hypertable('{name(SERIES)}', by_range('at', INTERVAL '1 day'))",
        f"CREATE MATERIALIZED VIEW {name(HOURLY)} WITH (timescaledb.continuous) AS {_HOURLY} WITH NO DATA",
        f"CREATE VIEW {name(VIEW)} AS SELECT id, {ident('select')} FROM {name(BASE)}",
        f"CREATE FUNCTION {name(TRIGGER_FUNCTION)}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        f"CREATE PROCEDURE {name(PROCEDURE)}(job_id integer, config jsonb) LANGUAGE sql AS 'SELECT 1'",
        f"CREATE FUNCTION {name('f')}(integer, {name(MOOD)}, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {ident(SCHEMA)} TO {', '.join(map(ident, ROLES))}",
    ]
)
