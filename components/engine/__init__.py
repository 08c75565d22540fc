"""Where the database runs: engines with the same outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings


@dataclass(frozen=True)
class DatabaseServer:
    """A server to provision. `resources` only order things: every value is known before the run."""

    engine: str
    settings: ConnectionSettings
    resources: Sequence[pulumi.Resource] = field(default=())
    machine: pulumi.ProviderResource | None = None
    """Provider instance for processes of this machine."""

    def dsn(self, user: str) -> str:
        """libpq connection string without a password."""
        s = self.settings
        return f"host={s.host} port={s.port} dbname={s.database} user={user}"
