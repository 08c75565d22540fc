"""Strategies of tables, views and what belongs to them."""

from __future__ import annotations

from hypothesis import strategies as st

from pulumi_timescaledb import specs
from pulumi_timescaledb.sqltext import ident

from . import world
from .words import (
    aggregate_queries,
    base_conditions,
    base_integers,
    base_strings,
    comments,
    conditions,
    integers,
    intervals,
    literals,
    maybe,
    names,
    owners,
    queries,
    some,
    strings,
)

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


_parameters = st.fixed_dictionaries(
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
        parameters=draw(_parameters),
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


@st.composite
def views(draw: st.DrawFn) -> specs.View:
    query, columns = draw(queries())

    return specs.View(
        schema_=world.SCHEMA,
        name=draw(names),
        query=query,
        security_barrier=draw(st.booleans()),
        security_invoker=draw(st.booleans()),
        check_option=None,
        owner=draw(owners),
        comment=draw(comments),
        column_comments=_commented(draw, columns),
    )


def _commented(draw: st.DrawFn, columns: list[str]) -> dict[str, str]:
    return {column: text for column in columns if (text := draw(comments))}


@st.composite
def materialized_views(draw: st.DrawFn) -> specs.MaterializedView:
    query, columns = draw(queries())
    return specs.MaterializedView(
        schema_=world.SCHEMA,
        name=draw(names),
        query=query,
        with_data=draw(st.booleans()),
        parameters=draw(_parameters),
        owner=draw(owners),
        comment=draw(comments),
        column_comments=_commented(draw, columns),
    )


@st.composite
def aggregates(draw: st.DrawFn) -> specs.ContinuousAggregate:
    query, columns = draw(aggregate_queries())
    return specs.ContinuousAggregate(
        schema_=world.SCHEMA,
        name=draw(names),
        query=query,
        materialized_only=draw(st.booleans()),
        create_group_indexes=draw(st.booleans()),
        owner=draw(owners),
        comment=draw(comments),
        column_comments=_commented(draw, columns),
    )


@st.composite
def indexes(draw: st.DrawFn) -> specs.Index:
    sortable = (*world.INTEGERS, *world.TEXTS, *world.NUMBERS, *world.MOMENTS, *world.MOODS)
    method = draw(st.sampled_from(["btree", "btree", "btree", "hash", "gin", "brin"]))
    keys = st.one_of(
        st.builds(specs.IndexKey, column=st.sampled_from(sortable)),
        st.builds(specs.IndexKey, column=st.sampled_from(world.TEXTS), collation=st.sampled_from([None, '"C"'])),
        st.builds(specs.IndexKey, expression=st.one_of(base_integers, base_strings.map("({} || '')".format))),
    )
    if method == "gin":
        chosen = [specs.IndexKey(column=draw(st.sampled_from([*world.ARRAYS, *world.DOCUMENTS])))]
    elif method == "btree":
        ordered = st.builds(
            lambda key, down, nulls: key.model_copy(update={"descending": down, "nulls": nulls}),
            keys,
            st.booleans(),
            st.sampled_from([None, "first", "last"]),
        )
        chosen = draw(st.lists(ordered, min_size=1, max_size=3))
    else:  # brin has no operator class for an enum
        chosen = [draw(keys.filter(lambda key: key.column not in world.MOODS))]
    unique = method == "btree" and draw(st.booleans())
    parameters = {"btree": "fillfactor", "hash": "fillfactor", "gin": "fastupdate", "brin": "pages_per_range"}[method]
    value = {"fastupdate": "off"}.get(parameters, "50")
    return specs.Index(
        schema_=world.SCHEMA,
        relation=world.BASE,
        name=draw(names),
        keys=tuple(chosen),
        method=method,
        unique=unique,
        nulls_not_distinct=unique and draw(st.booleans()),
        include=tuple(draw(st.lists(st.sampled_from(world.COLUMNS), max_size=2, unique=True)))
        if method == "btree"
        else (),
        where=draw(maybe(base_conditions)),
        parameters={parameters: value} if draw(st.booleans()) else {},
        comment=draw(comments),
    )


@st.composite
def foreign_keys(draw: st.DrawFn) -> specs.ForeignKey:
    columns, target = draw(
        st.sampled_from([(("id",), ("id",)), (("Mixed Case",), ("id",)), (("Mixed Case", "id"), ("Mixed Case", "id"))])
    )
    deferrable = draw(st.booleans())
    actions = ["no action", "restrict", "cascade", "set null", "set default"]
    return specs.ForeignKey(
        schema_=world.SCHEMA,
        relation=world.BASE,
        name=draw(names),
        columns=columns,
        target_schema=world.SCHEMA,
        target=draw(st.sampled_from([world.OTHER, world.BASE])),
        target_columns=target,
        on_update=draw(st.sampled_from(actions)),
        on_delete=draw(st.sampled_from(actions)),
        deferrable=deferrable,
        initially_deferred=deferrable and draw(st.booleans()),
        validated=draw(st.booleans()),
        comment=draw(comments),
    )


@st.composite
def triggers(draw: st.DrawFn) -> specs.Trigger:
    level = draw(st.sampled_from(["row", "statement"]))
    events = draw(some(("insert", "update", "delete"), 1, 3))
    old, new = "insert" not in events, "delete" not in events
    sides = [side for side, there in (("OLD", old), ("NEW", new)) if there]
    row = draw(st.sampled_from(sides)) if sides else ""
    condition = integers(("x",), 1).map(lambda text: text.replace(ident("x"), f"{row}.{ident('Mixed Case')}") + " > 0")
    return specs.Trigger(
        schema_=world.SCHEMA,
        relation=world.BASE,
        name=draw(names),
        timing=draw(st.sampled_from(["before", "after"])),
        events=tuple(events),
        update_of=tuple(draw(st.lists(st.sampled_from(world.COLUMNS), max_size=2, unique=True)))
        if "update" in events
        else (),
        for_each=level,
        when=draw(maybe(condition)) if row and level == "row" else None,
        function_schema=world.SCHEMA,
        function=world.TRIGGER_FUNCTION,
        arguments=tuple(draw(st.lists(names, max_size=2))),
        enabled=draw(st.sampled_from(["origin", "disabled", "replica", "always"])),
        comment=draw(comments),
    )


@st.composite
def rls_policies(draw: st.DrawFn) -> specs.RlsPolicy:
    command = draw(st.sampled_from(["all", "select", "insert", "update", "delete"]))
    condition = st.one_of(
        base_conditions,
        literals.map(lambda text: f"{ident('select')} = nullif(current_setting('app.x', true), {text})"),
        st.just(f"EXISTS (SELECT 1 FROM {world.name(world.OTHER)} o WHERE o.id = {ident(world.BASE)}.id)"),
    )
    return specs.RlsPolicy(
        schema_=world.SCHEMA,
        relation=world.BASE,
        name=draw(names),
        command=command,
        roles=draw(st.one_of(st.just(("public",)), some(world.ROLES))),
        permissive=draw(st.booleans()),
        using=draw(maybe(condition)) if command != "insert" else None,
        check=draw(maybe(condition)) if command not in ("select", "delete") else None,
        comment=draw(comments),
    )


ownerships = st.builds(
    specs.SequenceOwnership,
    schema=st.just(world.SCHEMA),
    sequence=st.just(world.SEQUENCE),
    table=st.sampled_from([world.BASE, world.OTHER]),
    column=st.sampled_from(world.COLUMNS),
)


@st.composite
def hypertables(draw: st.DrawFn) -> specs.Hypertable:
    dimensions = draw(some((world.DEVICE, world.PLACE), 0, 2))
    return specs.Hypertable(
        schema_=world.SCHEMA,
        relation=world.PLAIN,
        time_column="at",
        chunk_interval=draw(intervals),
        hash_dimensions=tuple(
            specs.hypertable.HashDimension(column=column, partitions=draw(st.integers(1, 99))) for column in dimensions
        ),
    )


@st.composite
def columnstores(draw: st.DrawFn) -> specs.Columnstore:
    segments = draw(some((world.DEVICE, world.PLACE), 0, 2))
    rest = [column for column in (world.DEVICE, world.PLACE, world.KWH) if column not in segments]
    order = draw(st.lists(st.sampled_from(["at", *rest]), min_size=1, max_size=3, unique=True))
    after = draw(maybe(intervals))
    return specs.Columnstore(
        schema_=world.SCHEMA,
        relation=world.SERIES,
        segment_by=tuple(segments),
        order_by=tuple(
            specs.columnstore.OrderBy(
                column=column, descending=draw(st.booleans()), nulls=draw(st.sampled_from([None, "first", "last"]))
            )
            for column in order
        ),
        after=after,
        schedule_interval=draw(maybe(intervals)) if after else None,
        enabled=draw(st.booleans()) if after else True,
    )
