"""Rights of a role in a schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..catalog import Catalog, Row, Scope
from ..hazards import Hazard
from ..specs.grant import PUBLIC, DefaultRights, Grant, ObjectRights, split_signature
from ..sqltext import ident, qualified
from ..statement import LockLevel, Statement
from .base import Context, Kind, statement

_WORDS = {"relation": "TABLE", "sequence": "SEQUENCE", "function": "ROUTINE", "type": "TYPE"}
"""ROUTINE covers procedures too (PostgreSQL 11 and newer)."""
_DEFAULTS = ("tables", "sequences", "functions", "types")


class _Target(NamedTuple):
    """What a right is on: type ("schema", an object's type or one of _DEFAULTS), name (of the creator, for defaults)
    and column, if any."""

    type: str
    name: str
    column: str = ""


_Rights = dict[_Target, set[str]]


class GrantKind(Kind[Grant]):
    """The exact rights of one role in one schema, changed by the difference: what stays is never taken away."""

    spec = Grant
    sources = ("grant",)
    many = True
    adopts_existing = True

    def scope(self, identity: tuple[str, ...]) -> Scope:
        return Scope(schema=identity[1], name=identity[0])

    def absent(self, identity: tuple[str, ...]) -> Grant:
        """No rights: a Grant that declares none can then be compared, and what somebody grants by hand is drift."""
        return Grant(role=identity[0], schema_=identity[1])

    def create(self, new: Grant, context: Context) -> Iterator[Statement]:
        """PUBLIC has rights nobody gave (EXECUTE on functions, USAGE on types), so its own start with none."""
        if new.role == PUBLIC:
            yield _revoke_all(new)
        yield from _given(new, {}, _rights(new))

    def drop(self, old: Grant, context: Context) -> Iterator[Statement]:
        """What the role has, not what was declared: an object that is gone by now must not stop it."""
        yield _revoke_all(old)

    def alter(self, old: Grant, new: Grant, context: Context) -> Iterator[Statement]:
        before, after = _rights(old), _rights(new)
        revoked = _without(_plain(before), _plain(after))
        swept: _Rights = {}
        for target in after:
            # Taking a right on a whole table takes it from its columns as well (PostgreSQL documentation, REVOKE).
            if target.column:
                gone = revoked.get(_Target(target.type, target.name), set())
                swept[target] = gone | {f"{each}*" for each in gone}
        passed_on = _only(before, starred=True)
        yield from _changes("REVOKE", new, _without(revoked, passed_on))
        yield from _changes("REVOKE", new, _both(revoked, passed_on), cascade=True)
        lost = _both(passed_on, _only(after, starred=False))
        yield from _changes("REVOKE", new, lost, option=True, cascade=True)
        yield from _given(new, _without(before, swept), after)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Grant]:
        rows: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in catalog.rows("grant"):
            rows[(row["role"], row["schema"])].append(row)
        return {identity: _grant(identity, found) for identity, found in rows.items()}


def _grant(identity: tuple[str, str], rows: list[Row]) -> Grant:
    privileges: tuple[Any, ...] = ()
    objects, defaults = [], []
    for row in rows:
        rights = tuple(row["privileges"])
        if row["type"] == "schema":
            privileges = rights
        elif row["type"] in _DEFAULTS:
            defaults.append(DefaultRights.model_construct(creator=row["name"], type=row["type"], privileges=rights))
        elif row["type"] != "none":
            columns = (row["column"],) if row["column"] is not None else ()
            objects.append(
                ObjectRights.model_construct(type=row["type"], name=row["name"], privileges=rights, columns=columns)
            )
    return Grant(
        role=identity[0],
        schema_=identity[1],
        privileges=privileges,
        objects=tuple(objects),
        defaults=tuple(defaults),
    )


def _rights(grant: Grant) -> _Rights:
    found: _Rights = {}
    if grant.privileges:
        found[_Target("schema", grant.schema_)] = set(grant.privileges)
    for item in grant.objects:
        for column in item.columns or ("",):
            found.setdefault(_Target(item.type, item.name, column), set()).update(item.privileges)
    for default in grant.defaults:
        found[_Target(default.type, default.creator)] = set(default.privileges)
    return found


def _plain(rights: _Rights) -> _Rights:
    """Without the stars: what may be done, whether or not it may be passed on."""
    return {target: {each.removesuffix("*") for each in privileges} for target, privileges in rights.items()}


def _only(rights: _Rights, *, starred: bool) -> _Rights:
    """Those that may be passed on, or those that may not; without the stars."""
    return _plain(
        {t: {each for each in privileges if each.endswith("*") == starred} for t, privileges in rights.items()}
    )


def _without(rights: _Rights, others: _Rights) -> _Rights:
    left = {target: privileges - others.get(target, set()) for target, privileges in rights.items()}
    return {target: privileges for target, privileges in left.items() if privileges}


def _both(rights: _Rights, others: _Rights) -> _Rights:
    common = {target: privileges & others.get(target, set()) for target, privileges in rights.items()}
    return {target: privileges for target, privileges in common.items() if privileges}


def _given(grant: Grant, before: _Rights, after: _Rights) -> Iterator[Statement]:
    """GRANT of what is not there yet."""
    plain = _without(_only(after, starred=False), _plain(before))
    starred = _without(_only(after, starred=True), _only(before, starred=True))
    yield from _changes("GRANT", grant, plain)
    yield from _changes("GRANT", grant, starred, option=True)


def _changes(
    verb: str, grant: Grant, rights: _Rights, *, option: bool = False, cascade: bool = False
) -> Iterator[Statement]:
    """One statement for all objects of a type that get the same. `option`: it is about passing the right on."""
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    per_column: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for target in sorted(rights):
        if target.column:
            for privilege in rights[target]:
                per_column[target.name][privilege].append(ident(target.column))
        else:
            alike[(target.type, _listed(rights[target]))].append(target.name)
    for name, columns in per_column.items():
        clause = ", ".join(f"{each.upper()} ({', '.join(columns[each])})" for each in sorted(columns))
        alike[("relation", clause)].append(name)
    for (kind, privileges), names in alike.items():
        yield _change(verb, grant, kind, privileges, names, option=option, cascade=cascade)


def _listed(privileges: set[str]) -> str:
    return ", ".join(sorted(privileges)).upper()


def _change(verb: str, grant: Grant, kind: str, privileges: str, names: list[str], **clauses: Any) -> Statement:
    grantee, schema = _grantee(grant), grant.schema_
    hazard = Hazard(
        "authorisation",
        f"{grantee} {'gets' if verb == 'GRANT' else 'loses'} rights in schema {ident(schema)}",
    )
    if kind in _DEFAULTS:
        sql = statement(
            "grant/default",
            verb=verb,
            creators=names,
            schema=schema,
            privileges=privileges,
            what=kind.upper(),
            grantee=grantee,
            **clauses,
        ).sql
    else:
        sql = statement(
            "grant/change",
            verb=verb,
            privileges=privileges,
            what=_WORDS.get(kind, "SCHEMA"),
            targets=[_target(kind, schema, name) for name in names],
            grantee=grantee,
            **clauses,
        ).sql
    return Statement(sql, LockLevel.NONE, (hazard,))


def _target(kind: str, schema: str, name: str) -> str:
    if kind == "schema":
        return ident(schema)
    if kind == "function":
        function, types = split_signature(name)
        return f"{qualified(schema, function)}({types})"
    return qualified(schema, name)


def _grantee(grant: Grant) -> str:
    return "PUBLIC" if grant.role == PUBLIC else ident(grant.role)


def _revoke_all(grant: Grant) -> Statement:
    grantee = _grantee(grant)
    sql = statement("grant/revoke_all", schema=grant.schema_, role=grant.role, grantee=grantee).sql
    hazard = Hazard(
        "authorisation",
        f"{grantee} loses every right in schema {ident(grant.schema_)} that is not given again",
    )
    return Statement(sql, LockLevel.NONE, (hazard,))
