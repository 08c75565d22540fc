"""Strategies of views, indexes and whatever else stands on tables."""

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
    integers,
    intervals,
    literals,
    maybe,
    names,
    owners,
    parameters,
    queries,
    some,
)


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
        parameters=draw(parameters),
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
