"""The stack's outputs as the rest of flowsctl needs them.

`__main__.py` exports `engine`, `database`, `api` (absent where there is none), `roles`,
`rolePrefix`, `jwtAudience`, and as secrets `jwtSecret`, `passwords` and `rootSecret`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flowsctl.errors import FlowsError


@dataclass(frozen=True)
class Database:
    """Where the database is. `host` is a folder where it listens on a Unix socket."""

    host: str
    port: int
    name: str
    user: str
    dsn: str
    sslmode: str = ""
    """libpq's, empty where it does not matter (a Unix socket)."""
    sslrootcert: str = ""


@dataclass(frozen=True)
class Api:
    """Where the API is. `audience` is the `aud` it demands, empty where it demands none."""

    url: str
    audience: str = ""


@dataclass(frozen=True)
class StackOutputs:
    """Everything that `up` leaves behind for other tools. Secrets are empty unless they were asked for."""

    engine: str
    database: Database
    api: Api | None
    roles: tuple[str, ...]
    role_prefix: str = ""
    """Before the name of every role."""
    jwt_secret: str = field(default="", repr=False)
    passwords: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, raw: dict[str, Any], show_secrets: bool) -> StackOutputs:
        """From what `pulumi stack output --json` prints. Raises FlowsError where a part is missing."""
        try:
            database = raw["database"]
            api = raw.get("api")
            return cls(
                engine=str(raw["engine"]),
                database=Database(
                    str(database["host"]),
                    int(database["port"]),
                    str(database["name"]),
                    str(database["user"]),
                    str(database["dsn"]),
                    str(database.get("sslmode") or ""),
                    str(database.get("sslrootcert") or ""),
                ),
                api=Api(str(api["url"]), str(raw.get("jwtAudience") or "")) if api else None,
                roles=tuple(str(role) for role in raw["roles"]),
                role_prefix=str(raw.get("rolePrefix") or ""),
                jwt_secret=str(raw.get("jwtSecret") or "") if show_secrets else "",
                passwords=dict(raw.get("passwords") or {}) if show_secrets else {},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FlowsError(f"the stack's outputs are not complete: {error}", "run flowsctl up again") from error

    def as_json(self) -> dict[str, Any]:
        """The documented form of `outputs --json`; the secrets only where they were asked for."""
        found: dict[str, Any] = {
            "engine": self.engine,
            "database": {key: value for key, value in vars(self.database).items() if value != ""},
            "api": {"url": self.api.url} if self.api else None,
            "roles": list(self.roles),
        }
        if self.jwt_secret or self.passwords:
            found["secrets"] = {"jwt": self.jwt_secret, "passwords": self.passwords}
        return found
