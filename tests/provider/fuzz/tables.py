"""Strategies of tables: columns of every type, constraints, storage."""

from __future__ import annotations

from hypothesis import strategies as st

from pulumi_timescaledb import specs
from pulumi_timescaledb.sqltext import ident

from . import world
from .words import comments, conditions, integers, maybe, names, owners, parameters, some, strings

_TYPES = {
    "integer": integers((), 1),
    "bigint": st.sampled_from(
        ["1", "nextval('" + world.name(world.SEQUENCE).replace("'", "''") + "')", "9223372036854775807"]
    ),
    "text": strings((), 1),
    "varchar(20)": st.just("'x'"),
    "character(3)": st.just("'ab'"),
    "numeric(12,3)": st.sampled_from(["1.50", "'NaN'"]),
    "boolean": st.sampled_from(["true", "NOT false", "1 > 2"]),
    "timestamptz": st.sampled_from(["now()", "CURRENT_TIMESTAMP", "'infinity'", "(now() + '1 day')"]),
    "timestamp(3)": st.sampled_from(["LOCALTIMESTAMP", "'2026-01-01'"]),
    "date": st.sampled_from(["CURRENT_DATE", "'2026-01-01'::date"]),
    "time with time zone": st.just("'10:00+00'"),
    "interval": st.sampled_from(["'1 mon -2 days'", "INTERVAL '1' YEAR"]),
    "interval day to second(2)": st.just("'1 day'"),
    "uuid": st.just("gen_random_uuid()"),
    "jsonb": st.sampled_from(["'{}'", "'{\"a\": \"it''s\"}'::jsonb", "jsonb_build_object('a', 1)"]),
    "bytea": st.just("'\\x00'"),
    "inet": st.just("'10.0.0.0/8'"),
    "bit(5)": st.just("B'10101'"),
    "real[]": st.sampled_from(["'{1,2}'", "ARRAY[1.5, NULL]"]),
    "text[][]": st.just("'{{a,b},{c,d}}'"),
    "tstzrange": st.just("'[2026-01-01,)'"),
    '"char"': st.just("'x'"),
    world.name(world.MOOD): st.sampled_from(["'a'", "'B''b'"]),
    world.name(world.MOOD) + "[]": st.just("'{a}'"),
    world.name(world.AMOUNT): st.just("1"),
    world.name(world.OTHER): st.nothing(),
}
_COLLATED = ("text", "varchar(20)", "character(3)")


@st.composite
def _column(draw: st.DrawFn, name: str) -> specs.Column:
    kind = draw(st.sampled_from(list(_TYPES)))
    default = draw(maybe(_TYPES[kind])) if kind != world.name(world.OTHER) else None
    identity = draw(st.sampled_from([None, None, "always", "by default"])) if kind in ("integer", "bigint") else None
    return specs.Column(
        name=name,
        type=kind,
        not_null=identity is not None or draw(st.booleans()),
        default=None if identity else default,
        identity=identity,
        collation=draw(st.sampled_from([None, '"C"', 'pg_catalog."POSIX"'])) if kind in _COLLATED else None,
        comment=draw(comments),
    )


_CHECKED = ("n é", 't;"x')


@st.composite
def tables(draw: st.DrawFn, kept: specs.Table | None = None) -> specs.Table:
    """A table; of `kept` some columns stay with their names and types, as a change in place needs it."""
    columns = [draw(_column(name)) for name in draw(st.lists(names, max_size=6, unique=True)) if name not in _CHECKED]
    if kept is not None:
        columns = [column for column in columns if kept.column(column.name) is None]
        columns = [_like(draw(_column(c.name)), c) for c in kept.columns[2:] if draw(st.booleans())] + columns
    whole = specs.Column(name=_CHECKED[0], type="integer", not_null=True, default=draw(maybe(integers((), 1))))
    text = specs.Column(name=_CHECKED[1], type="text", comment=draw(comments))
    expression = integers((_CHECKED[0],)) if kept is None else st.nothing()
    if kept is None and draw(st.booleans()) and "computed" not in {c.name for c in columns}:
        columns.append(specs.Column(name="computed", type="integer", generated=draw(expression)))
    columns = [whole, text, *columns]
    keys = [c.name for c in columns if not c.generated and c.type not in ("real[]", world.name(world.OTHER))]
    name = kept.name if kept else draw(names)
    constraints = iter(draw(st.lists(names.filter(lambda n: n != name), min_size=8, max_size=8, unique=True)))
    return specs.Table(
        schema_=world.SCHEMA,
        name=name,
        columns=tuple(columns),
        primary_key=draw(
            maybe(
                st.builds(
                    specs.PrimaryKey,
                    name=st.just(next(constraints)),
                    columns=some(tuple(keys)),
                    deferrable=st.booleans(),
                )
            )
        ),
        unique=tuple(
            specs.Unique(
                name=next(constraints),
                columns=columns_,
                nulls_not_distinct=draw(st.booleans()),
                deferrable=deferrable,
                initially_deferred=deferrable and draw(st.booleans()),
            )
            for columns_, deferrable in draw(st.lists(st.tuples(some(tuple(keys)), st.booleans()), max_size=2))
        ),
        checks=tuple(
            specs.Check(name=next(constraints), expression=text_, validated=draw(st.booleans()))
            for text_ in draw(st.lists(conditions((_CHECKED[0],), (_CHECKED[1],)), max_size=3))
        ),
        exclusions=tuple(draw(_exclusion(next(constraints), expression)) for _ in range(draw(st.integers(0, 2)))),
        row_level_security=draw(st.booleans()),
        force_row_level_security=draw(st.booleans()),
        unlogged=draw(st.booleans()),
        parameters=draw(parameters),
        owner=draw(owners),
        comment=draw(comments),
    )


@st.composite
def _exclusion(draw: st.DrawFn, name: str, expression: st.SearchStrategy[str]) -> specs.Exclusion:
    """Of the two columns that every table has; `expression`: of the first."""
    number, text = (ident(column) for column in _CHECKED)
    order = {"descending": st.booleans(), "nulls": st.sampled_from([None, "first", "last"])}
    equal = st.builds(
        specs.ExclusionElement,
        operator=st.sampled_from(["=", "OPERATOR(pg_catalog.=)"]),
        **draw(
            st.sampled_from(
                [
                    {"column": st.just(_CHECKED[0])},
                    {"column": st.just(_CHECKED[1]), "collation": st.sampled_from([None, '"C"'])},
                    {"expression": st.one_of(expression, st.just(f"{number} + 1"))},
                    {"expression": st.just(f"lower({text})"), "operator_class": st.just("text_pattern_ops")},
                ]
            )
        ),
    )
    apart = st.builds(
        specs.ExclusionElement,
        expression=st.sampled_from([f"int4range({number}, {number}, '[]')", f"int4range(0, abs({number}))"]),
        operator=st.sampled_from(["&&", "-|-"]),
    )
    method = draw(st.sampled_from(["btree", "hash", "gist"]))
    elements = draw(st.lists(apart if method == "gist" else equal, min_size=1, max_size=1 if method == "hash" else 2))
    if method == "btree":
        elements = [
            element.model_copy(update={key: draw(value) for key, value in order.items()}) for element in elements
        ]
    deferrable = draw(st.booleans())
    return specs.Exclusion(
        name=name,
        elements=tuple(elements),
        method=method,
        include=(_CHECKED[1],) if method != "hash" and draw(st.booleans()) else (),
        where=draw(maybe(conditions((_CHECKED[0],), (_CHECKED[1],)))),
        deferrable=deferrable,
        initially_deferred=deferrable and draw(st.booleans()),
    )


def _like(drawn: specs.Column, column: specs.Column) -> specs.Column:
    """The column with another comment and NOT NULL: what else can change depends on its type."""
    if column.generated or column.identity:
        return column.model_copy(update={"comment": drawn.comment})
    return column.model_copy(update={"comment": drawn.comment, "not_null": drawn.not_null})
