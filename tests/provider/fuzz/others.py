"""Strategies of types, functions, roles, rights, policies, jobs and settings."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from pulumi_timescaledb import specs
from pulumi_timescaledb.specs.grant import DefaultRights, ObjectRights
from pulumi_timescaledb.sqltext import ident

from ...properties import texts
from . import world
from .words import comments, conditions, integers, intervals, literals, maybe, names, owners, queries, some, strings

schemas = st.builds(specs.Schema, name=names.filter(lambda name: name != "public"), owner=owners, comment=comments)
enums = st.builds(
    specs.Enum,
    schema=st.just(world.SCHEMA),
    name=names,
    labels=st.lists(names, min_size=1, max_size=5, unique=True).map(tuple),
    owner=owners,
    comment=comments,
)
extensions = st.builds(
    specs.Extension,
    name=st.sampled_from(["hstore", "citext", "pg_trgm", "btree_gist"]),
    schema=st.sampled_from([None, world.SCHEMA]),
)
memberships = st.builds(
    specs.RoleMembership,
    role=st.just(world.ROLES[0]),
    member=st.just(world.ROLES[1]),
    admin=st.booleans(),
    inherit=st.booleans(),
    setRole=st.booleans(),
)


def _value(kind: str) -> tuple[st.SearchStrategy[str], st.SearchStrategy[str]]:
    """(defaults, conditions) of a domain."""
    if kind == "integer":
        return integers((), 1), conditions(("VALUE",), (), (), 1).map(_unquoted)
    return strings((), 1), conditions((), ("VALUE",), (), 1).map(_unquoted)


def _unquoted(text: str) -> str:
    return text.replace('"VALUE"', "VALUE")


@st.composite
def domains(draw: st.DrawFn) -> specs.Domain:
    kind = draw(st.sampled_from(["integer", "text", "varchar(30)"]))
    defaults, rules = _value(kind)
    checks = draw(st.lists(st.tuples(names, rules, st.booleans()), max_size=3, unique_by=lambda item: item[0]))
    return specs.Domain(
        schema_=world.SCHEMA,
        name=draw(names),
        type=kind,
        collation=draw(st.sampled_from([None, '"C"'])) if kind != "integer" else None,
        not_null=draw(st.booleans()),
        default=draw(maybe(defaults)),
        checks=tuple(specs.DomainCheck(name=name, expression=rule, validated=valid) for name, rule, valid in checks),
        owner=draw(owners),
        comment=draw(comments),
    )


@st.composite
def sequences(draw: st.DrawFn) -> specs.Sequence:
    least, first, most = sorted(draw(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=3, max_size=3, unique=True)))
    increment = draw(st.sampled_from([1, 1, -1, 5, -7]))
    bounded = draw(st.booleans())
    return specs.Sequence(
        schema_=world.SCHEMA,
        name=draw(names),
        type=draw(st.sampled_from(["smallint", "integer", "bigint"])),
        start=first if bounded else None,
        increment=increment,
        minimum=least if bounded else None,
        maximum=most if bounded else None,
        cache=draw(st.integers(1, 50)),
        cycle=draw(st.booleans()),
        owner=draw(owners),
        comment=draw(comments),
    )


_SETTINGS = {
    "search_path": st.lists(names, max_size=3).map(lambda found: ", ".join(ident(name) for name in found)),
    "App.Zone é": texts,
    "app.other": st.sampled_from(["", "it's = \\ $body$", '"x"', "a, b"]),
    "statement_timeout": st.sampled_from(["5s", "1234", "2min"]),
    "timezone": st.sampled_from(["UTC", "Europe/London"]),
}


@st.composite
def _settings(draw: st.DrawFn) -> dict[str, str]:
    chosen = draw(
        st.lists(
            st.sampled_from(["search_path", "app.other", "statement_timeout", "timezone"]), max_size=3, unique=True
        )
    )
    return {name: draw(_SETTINGS[name]) for name in chosen}


_FLAGS = ("login", "superuser", "inherit", "create_db", "create_role", "replication", "bypass_rls")
roles = st.builds(
    specs.Role,
    name=names.filter(lambda name: name not in world.ROLES),
    connectionLimit=st.integers(-1, 100),
    password=maybe(names),
    validUntil=st.sampled_from([None, "2031-01-02T03:00:00+01:00", "1999-12-31T23:59:59.123456+00:00"]),
    settings=_settings(),
    comment=comments,
    **{to_camel(flag): st.booleans() for flag in _FLAGS},
)

role_settings = (
    st.tuples(_settings(), comments)
    .filter(any)
    .map(lambda found: specs.RoleSettings(role=world.ROLES[0], settings=found[0], comment=found[1]))
)


@st.composite
def server_settings(draw: st.DrawFn) -> specs.ServerSetting:
    name = draw(st.sampled_from(["search_path", "app.other", "statement_timeout", "timezone"]))
    return specs.ServerSetting(name=name, value=draw(_SETTINGS[name]))


_ARGUMENTS = {
    "integer": integers((), 1),
    "text": strings((), 1),
    "timestamptz": st.just("now()"),
    "integer[]": st.just("'{}'"),
    world.name(world.MOOD): st.just("'a'"),
    world.name(world.AMOUNT): st.just("1"),
    world.name(world.BASE): st.just("NULL"),
}


@st.composite
def functions(draw: st.DrawFn) -> specs.Function:
    named = draw(
        st.lists(
            st.tuples(names.filter(lambda n: n != "$1"), st.sampled_from(list(_ARGUMENTS))),
            max_size=4,
            unique_by=lambda item: item[0],
        )
    )
    defaults = draw(st.integers(0, len(named)))
    arguments = tuple(
        specs.Argument(name=name, type=kind, default=draw(_ARGUMENTS[kind]) if position >= defaults else None)
        for position, (name, kind) in enumerate(named)
    )
    procedure = draw(st.booleans()) and draw(st.booleans())
    language = draw(st.sampled_from(["sql", "plpgsql"]))
    returns, body = None if procedure else "integer", ""
    many = False
    if language == "plpgsql":
        body = draw(st.sampled_from(["BEGIN {} END", "\nDECLARE x int; -- {n}\nBEGIN {} /* $body$ {n} */ END;\n"]))
        body = body.replace("{n}", draw(st.text("a'$;\\é", max_size=8)))
        body = body.replace("{}", "NULL;" if procedure else "RETURN 1;")
    elif procedure:
        body = draw(st.sampled_from(["SELECT 1", "BEGIN ATOMIC SELECT 1; END", ""]))
    else:
        many = draw(st.booleans())
        if many:
            returns, body = "SETOF record", f"SELECT * FROM ({draw(queries())[0].rstrip('; ')}\n) q"
            body = f"SELECT 1, {draw(literals)} -- ;"
        else:
            body = draw(
                st.one_of(
                    integers((), 1).map("SELECT {}".format),
                    integers((), 1).map("RETURN {}".format),
                    integers((), 1).map("BEGIN ATOMIC SELECT {}; END".format),
                )
            )
    only = (
        {}
        if procedure
        else {
            "volatility": draw(st.sampled_from(["volatile", "stable", "immutable"])),
            "strict": draw(st.booleans()),
            "leakproof": draw(st.booleans()),
            "parallel": draw(st.sampled_from(["unsafe", "restricted", "safe"])),
            "cost": draw(st.sampled_from([None, 1.0, 0.5, 7, 100, 1000])),
            "rows": draw(st.sampled_from([None, 1, 1000, 2.5])) if many else None,
        }
    )
    return specs.Function(
        schema_=world.SCHEMA,
        name=draw(names),
        procedure=procedure,
        arguments=arguments,
        returns=returns,
        language=language,
        body=body,
        security_definer=draw(st.booleans()),
        settings=draw(_settings()),
        owner=draw(owners),
        comment=draw(comments),
        **only,
    )


_RELATIONS = (world.BASE, world.OTHER, world.SERIES, world.HOURLY, world.VIEW)
_OBJECTS = {
    "relation": (_RELATIONS, ("select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain")),
    "sequence": ((world.SEQUENCE,), ("usage", "select", "update")),
    "function": ((f"f(int, {world.name(world.MOOD)}, text[])",), ("execute",)),
    "type": ((world.MOOD, world.AMOUNT), ("usage",)),
}


@st.composite
def _rights(draw: st.DrawFn) -> ObjectRights:
    kind = draw(st.sampled_from(["relation", "relation", *_OBJECTS]))
    objects, privileges = _OBJECTS[kind]
    name = draw(st.sampled_from(objects))
    columns = draw(some(world.COLUMNS, 0, 3)) if name in (world.BASE, world.OTHER) else []
    if columns:
        privileges = ("select", "insert", "update", "references")
    chosen = tuple(each + draw(st.sampled_from(["", "", "*"])) for each in draw(some(privileges, 1, 8)))
    return ObjectRights(type=kind, name=name, privileges=chosen, columns=tuple(columns))


@st.composite
def _defaults(draw: st.DrawFn) -> DefaultRights:
    kind, privileges = draw(
        st.sampled_from(
            [
                ("tables", _OBJECTS["relation"][1]),
                ("sequences", _OBJECTS["sequence"][1]),
                ("functions", ("execute",)),
                ("types", ("usage",)),
            ]
        )
    )
    return DefaultRights(
        creator=draw(st.sampled_from(world.ROLES)), type=kind, privileges=tuple(draw(some(privileges, 1, 8)))
    )


_grants = st.builds(
    specs.Grant,
    role=st.sampled_from(world.ROLES[:2]),
    schema=st.just(world.SCHEMA),
    privileges=some(("usage", "create"), 0, 2).map(tuple),
    objects=st.lists(_rights(), max_size=6).map(tuple),
    defaults=st.lists(_defaults(), max_size=4).map(tuple),
)

grants = st.one_of(_grants, _grants.map(lambda grant: _to_public(grant.to_wire())))


def _to_public(wire: dict[str, Any]) -> specs.Grant:
    """The same for everybody, who cannot pass anything on."""
    rights = [*wire.get("objects", ()), *wire.get("defaults", ())]
    for item in rights:
        item["privileges"] = [each.removesuffix("*") for each in item["privileges"]]
    return specs.Grant.from_wire({**wire, "role": "public"})


@st.composite
def refresh_policies(draw: st.DrawFn) -> specs.RefreshPolicy:
    return specs.RefreshPolicy(
        schema_=world.SCHEMA,
        relation=world.HOURLY,
        start_offset=draw(st.one_of(st.none(), st.integers(10, 300).map("{} days".format))),
        end_offset=draw(st.one_of(st.none(), st.integers(0, 9000).map("{} minutes".format))),
        schedule_interval=draw(intervals),
        enabled=draw(st.booleans()),
    )


retention_policies = st.builds(
    specs.RetentionPolicy,
    schema=st.just(world.SCHEMA),
    relation=st.sampled_from([world.SERIES, world.HOURLY]),
    dropAfter=intervals,
    scheduleInterval=maybe(intervals),
    enabled=st.booleans(),
)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def jobs(draw: st.DrawFn) -> specs.Job:
    fixed = draw(st.booleans())
    return specs.Job(
        schema_=world.SCHEMA,
        procedure=world.PROCEDURE,
        schedule_interval=draw(intervals),
        config=draw(maybe(st.dictionaries(texts, _json, max_size=3))),
        fixed_schedule=fixed,
        initial_start=draw(maybe(st.sampled_from(["2026-01-02T03:00:00+01:00", "2030-12-31T23:59:59.123456+00:00"]))),
        timezone=draw(st.sampled_from([None, "Europe/London", "Asia/Tokyo"])),
        max_runtime=draw(maybe(intervals)),
        enabled=draw(st.booleans()),
    )
