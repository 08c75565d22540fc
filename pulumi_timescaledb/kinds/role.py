"""Roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Scope
from ..hazards import Hazard
from ..scram import scram_sha_256
from ..settings import setting_name, setting_value
from ..specs.role import Role
from ..sqltext import ident, literal
from ..statement import LockLevel, Statement
from .base import Context, Kind, changed, comment_on, rename, statement

_FLAGS = {
    "login": "LOGIN",
    "superuser": "SUPERUSER",
    "inherit": "INHERIT",
    "create_db": "CREATEDB",
    "create_role": "CREATEROLE",
    "replication": "REPLICATION",
    "bypass_rls": "BYPASSRLS",
}
_SHOWN = "'********'"


class RoleKind(Kind[Role]):
    """CREATE / ALTER / DROP ROLE. The server refuses to drop a role that owns something or has rights left."""

    spec = Role
    sources = ("role",)

    def scope(self, identity: tuple[str, ...]) -> Scope:
        return Scope("", identity[0])

    def create(self, new: Role, context: Context) -> Iterator[Statement]:
        """NOINHERIT and the like are said only where they differ from CREATE ROLE's defaults: on a managed server
        even NOSUPERUSER needs a superuser."""
        yield statement("role/create", role=new, options=_options(Role(name=new.name), new))
        yield from _password(None, new)
        yield from _settings({}, new)
        yield from comment_on("ROLE", ident(new.name), None, new.comment)

    def drop(self, old: Role, context: Context) -> Iterator[Statement]:
        yield statement("role/drop", role=old)

    def alter(self, old: Role, new: Role, context: Context) -> Iterator[Statement]:
        yield from rename("ROLE", ident(old.name), old.name, new.name)
        options = _options(old, new)
        if options:
            hazard = Hazard("authorisation", f'what role "{new.name}" may do changes: {", ".join(options)}')
            yield Statement(statement("role/alter", role=new, options=options).sql, LockLevel.NONE, (hazard,))
        yield from _password(old, new)
        yield from _settings(old.settings, new)
        yield from comment_on("ROLE", ident(new.name), old.comment, new.comment)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Role]:
        found: dict[tuple[str, ...], Role] = {}
        for row in catalog.rows("role"):
            settings = dict(entry.split("=", 1) for entry in row["settings"] or ())
            flags = {name: row[name] for name in _FLAGS}
            found[(row["name"],)] = Role(
                name=row["name"],
                connection_limit=row["connection_limit"],
                valid_until=row["valid_until"],
                settings=settings,
                comment=row["comment"],
                **flags,
            )
        return found


def _options(old: Role, new: Role) -> list[str]:
    options = [word if getattr(new, name) else f"NO{word}" for name, word in _FLAGS.items() if changed(old, new, name)]
    if changed(old, new, "connection_limit"):
        options.append(f"CONNECTION LIMIT {new.connection_limit}")
    if changed(old, new, "valid_until"):
        options.append(f"VALID UNTIL {literal(new.valid_until or 'infinity')}")
    return options


def _password(old: Role | None, new: Role) -> Iterator[Statement]:
    """An absent password is left alone: it may be the business of somebody else."""
    if new.password is None or (old is not None and old.password == new.password):
        return
    hazards = () if old is None else (Hazard("authorisation", f'logins of "{new.name}" with the old password fail'),)
    sql = statement("role/password", role=new, password=_SHOWN).sql
    placeholder = _SHOWN
    while sql.count(placeholder) > 1:  # a role of that name
        placeholder = f"'*{placeholder[1:]}"
        sql = statement("role/password", role=new, password=placeholder).sql
    secret = literal(scram_sha_256(new.name, new.password))
    yield Statement(sql, LockLevel.NONE, hazards, secrets=((placeholder, secret),))


def _settings(old: Mapping[str, str], new: Role) -> Iterator[Statement]:
    for name, value in new.settings.items():
        if old.get(name) != value:
            yield statement("role/set", role=new, setting=setting_name(name), value=setting_value(name, value))
    for name in old:
        if name not in new.settings:
            yield statement("role/reset", role=new, setting=setting_name(name))
