"""Where the database runs: engines with the same outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings


class Beside(Protocol):
    """What an engine runs beside the database."""

    def api(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        """The REST API, once `after` is there; None where there is none."""

    def scheduler(self, after: Sequence[pulumi.Resource]) -> pulumi.Resource | None:
        """What takes backups and runs jobs that the server cannot run itself; None where there is none."""


@dataclass(frozen=True)
class DatabaseServer:
    """A server to provision. `resources` only order things: every value is known before the run."""

    engine: str
    settings: ConnectionSettings
    beside: Beside
    resources: Sequence[pulumi.Resource] = field(default=())
    made_of: str = ""
    """The image of a server that the program makes: with another one it is another server."""
    api_folder: str = ""
    """Where the embedded engine's API is, for the Seal to reload."""
    api_channel: str = ""
    """What the API listens on for the Seal's word that the schema changed."""

    def dsn(self, user: str) -> str:
        """libpq connection string without a password."""
        s = self.settings
        found = f"host={s.host} port={s.port} dbname={s.database} user={user}"
        if not s.host.startswith("/"):
            found += f" sslmode={s.sslmode}"
        return found + (f" sslrootcert={s.sslrootcert}" if s.sslrootcert else "")
