"""The plain schema that other schema tools were measured with, as declarations and as the SQL a person would write.

Of `count` objects one fifth are tables (8 columns, primary key, unique, check, foreign key, comment), one fifth
indexes, one fifth views, one tenth functions, one tenth triggers and one fifth rights on a table. As declarations a
foreign key is a resource of its own, and all rights of a role in a schema are one: about as many resources.

`python -m benchmarks.plain_schema COUNT` prints the SQL.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.foreign_key import ForeignKey
from pulumi_timescaledb.specs.function import Function
from pulumi_timescaledb.specs.grant import Grant, ObjectRights
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.schema import Schema
from pulumi_timescaledb.specs.table import Check, Column, PrimaryKey, Table, Unique
from pulumi_timescaledb.specs.trigger import Trigger
from pulumi_timescaledb.specs.view import View

SCHEMA = "plain"
ROLES = tuple(f"plain_role_{number}" for number in range(4))
BODY = "\nBEGIN\n  NEW.updated_at := now();\n  RETURN NEW;\nEND\n"


def declarations(count: int) -> list[Spec]:
    """The schema as specs. `count` must be a multiple of 10."""
    tables = count // 5
    found: list[Spec] = [Schema(name=SCHEMA), *(Role(name=name) for name in ROLES)]
    for number in range(tables):
        found += _of_table(number)
    for number in range(tables // 2):
        found += _function_and_trigger(number)
    for position, role in enumerate(ROLES):
        mine = range(position, tables, len(ROLES))
        rights = tuple(ObjectRights(name=_name(number), privileges=("select", "insert")) for number in mine)
        found.append(Grant(role=role, schema_=SCHEMA, privileges=("usage",), objects=rights))
    return found


def _name(number: int) -> str:
    return f"table_{number:05}"


def _of_table(number: int) -> Iterator[Spec]:
    name, parent = _name(number), _name(max(0, number - 1))
    yield Table(
        schema_=SCHEMA,
        name=name,
        columns=(
            Column(name="id", type="bigint", not_null=True),
            Column(name="parent_id", type="bigint"),
            Column(name="code", type="text", not_null=True),
            Column(name="title", type="character varying(200)"),
            Column(name="amount", type="numeric(12,2)", not_null=True, default="0"),
            Column(name="active", type="boolean", not_null=True, default="true"),
            Column(name="created_at", type="timestamptz", not_null=True, default="now()"),
            Column(name="updated_at", type="timestamptz"),
        ),
        primary_key=PrimaryKey(name=f"{name}_pkey", columns=("id",)),
        unique=(Unique(name=f"{name}_code_key", columns=("code",)),),
        checks=(Check(name=f"{name}_amount_check", expression="amount >= 0"),),
        comment=f"Table number {number}.",
    )
    yield ForeignKey(
        schema_=SCHEMA,
        relation=name,
        name=f"{name}_parent_id_fkey",
        columns=("parent_id",),
        target_schema=SCHEMA,
        target=parent,
        target_columns=("id",),
    )
    keys = (IndexKey(column="active"), IndexKey(column="created_at", descending=True))
    yield Index(schema_=SCHEMA, relation=name, name=f"{name}_recent_idx", keys=keys)
    yield View(schema_=SCHEMA, name=f"view_{number:05}", query=_query(number))


def _query(number: int) -> str:
    name, parent = _name(number), _name(max(0, number - 1))
    return (
        f"SELECT t.id, t.code, t.amount, p.code AS parent_code FROM {SCHEMA}.{name} t "
        f"LEFT JOIN {SCHEMA}.{parent} p ON p.id = t.parent_id WHERE t.active"
    )


def _function_and_trigger(number: int) -> Iterator[Spec]:
    function = f"touch_{number:05}"
    yield Function(schema_=SCHEMA, name=function, returns="trigger", body=BODY)
    yield Trigger(
        schema_=SCHEMA,
        relation=_name(number),
        name=f"{function}_trigger",
        timing="before",
        events=("update",),
        function_schema=SCHEMA,
        function=function,
    )


def script(count: int) -> str:
    """The same schema for `psql -f`."""
    tables = count // 5
    lines = [f"CREATE SCHEMA {SCHEMA};", *(f"CREATE ROLE {name};" for name in ROLES)]
    lines += [f"GRANT USAGE ON SCHEMA {SCHEMA} TO {name};" for name in ROLES]
    for number in range(tables):
        name = _name(number)
        lines.append(
            f"CREATE TABLE {SCHEMA}.{name} (id bigint CONSTRAINT {name}_pkey PRIMARY KEY, parent_id bigint, "
            f"code text NOT NULL CONSTRAINT {name}_code_key UNIQUE, title varchar(200), "
            f"amount numeric(12,2) NOT NULL DEFAULT 0 CONSTRAINT {name}_amount_check CHECK (amount >= 0), "
            "active boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL DEFAULT now(), "
            f"updated_at timestamptz, CONSTRAINT {name}_parent_id_fkey FOREIGN KEY (parent_id) "
            f"REFERENCES {SCHEMA}.{_name(max(0, number - 1))} (id));"
        )
        lines.append(f"COMMENT ON TABLE {SCHEMA}.{name} IS 'Table number {number}.';")
        lines.append(f"CREATE INDEX {name}_recent_idx ON {SCHEMA}.{name} (active, created_at DESC);")
        lines.append(f"CREATE VIEW {SCHEMA}.view_{number:05} AS {_query(number)};")
        lines.append(f"GRANT SELECT, INSERT ON {SCHEMA}.{name} TO {ROLES[number % len(ROLES)]};")
    for number in range(tables // 2):
        function = f"touch_{number:05}"
        lines.append(
            f"CREATE FUNCTION {SCHEMA}.{function}() RETURNS trigger LANGUAGE plpgsql AS $body${BODY}$body$;\n"
            f"CREATE TRIGGER {function}_trigger BEFORE UPDATE ON {SCHEMA}.{_name(number)} "
            f"FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.{function}();"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(script(int(sys.argv[1])), end="")
