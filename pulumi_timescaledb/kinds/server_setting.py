"""Server settings that take effect without a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..render import render
from ..settings import setting_name, setting_value
from ..specs.server_setting import ServerSetting
from ..statement import LockLevel, Refused, Statement
from .base import Context, Kind, shown, statement


class ServerSettingKind(Kind[ServerSetting]):
    """ALTER DATABASE SET (new sessions see it), or ALTER SYSTEM SET and a reload."""

    spec = ServerSetting
    sources = ("server_setting",)
    adopts_existing = True

    def create(self, new: ServerSetting, context: Context) -> Iterator[Statement]:
        action = f"SET {setting_name(new.name)} TO {setting_value(new.name, new.value)}"
        if new.scope == "database":
            yield statement("server_setting/database", action=action)
        else:
            yield from _system(new, action, context)

    def alter(self, old: ServerSetting, new: ServerSetting, context: Context) -> Iterator[Statement]:
        return self.create(new, context)

    def drop(self, old: ServerSetting, context: Context) -> Iterator[Statement]:
        action = f"RESET {setting_name(old.name)}"
        if old.scope == "database":
            yield statement("server_setting/database", action=action)
        else:
            yield from _system(old, action, context)

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], ServerSetting]:
        found: dict[tuple[str, ...], ServerSetting] = {}
        for row in catalog.rows("server_setting"):
            setting = ServerSetting(name=row["name"], value=row["value"], scope=row["scope"])
            found[setting.identity()] = setting
        return found


def _system(setting: ServerSetting, action: str, context: Context) -> Iterator[Statement]:
    """Which settings need a restart only the server knows, so it is asked before anything is written.

    `concurrent_index` tells a server of many processes: background_workers is false as well where the extension is
    still to come, and settings come before it.
    """
    if not context.capabilities.concurrent_index:
        raise Refused(
            f"The embedded server has no ALTER SYSTEM ({shown(setting)}).",
            'Use scope "database", or an engine of its own.',
        )
    yield statement("server_setting/reloadable", setting=setting)
    yield Statement(render("server_setting/system", action=action), LockLevel.NONE, transactional=False)
    yield statement("server_setting/reload")
