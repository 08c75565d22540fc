"""Settings of roles in this database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Scope
from ..settings import setting_name, setting_value
from ..specs.role_settings import RoleSettings
from ..sqltext import ident
from ..statement import Statement
from .base import Context, Kind, comment_on, statement


class RoleSettingsKind(Kind[RoleSettings]):
    """ALTER ROLE IN DATABASE SET and RESET, setting by setting. Dropping them leaves the role."""

    spec = RoleSettings
    sources = ("role_settings",)
    adopts_existing = True

    def scope(self, identity: tuple[str, ...]) -> Scope:
        return Scope("", identity[0])

    def create(self, new: RoleSettings, context: Context) -> Iterator[Statement]:
        return _change(new.role, {}, None, new.settings, new.comment)

    def drop(self, old: RoleSettings, context: Context) -> Iterator[Statement]:
        return _change(old.role, old.settings, old.comment, {}, None)

    def alter(self, old: RoleSettings, new: RoleSettings, context: Context) -> Iterator[Statement]:
        return _change(new.role, old.settings, old.comment, new.settings, new.comment)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], RoleSettings]:
        return {
            (row["role"],): RoleSettings(
                role=row["role"],
                settings=dict(entry.split("=", 1) for entry in row["settings"] or ()),
                comment=row["comment"],
            )
            for row in catalog.rows("role_settings")
        }


def _change(
    role: str, old: Mapping[str, str], old_comment: str | None, new: Mapping[str, str], comment: str | None
) -> Iterator[Statement]:
    actions = [
        f"SET {setting_name(name)} TO {setting_value(name, value)}"
        for name, value in new.items()
        if old.get(name) != value
    ]
    actions += [f"RESET {setting_name(name)}" for name in old if name not in new]
    for action in actions:
        yield statement("role_settings/alter", role=role, action=action)
    yield from comment_on("ROLE", ident(role), old_comment, comment)
