"""Where the benchmark's database is: a server that runs already, named by PLAIN_DSN."""

from __future__ import annotations

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from pulumi_timescaledb.connection import ConnectionSettings

from .config import StackConfig
from .secrets import StackSecrets


def data_folder(root: Path, stack: str) -> Path:
    """A folder that is never made."""
    return root / ".flows" / "data" / stack


def connection(config: StackConfig, root: Path, stack: str, secrets: StackSecrets) -> ConnectionSettings:
    """How the provider reaches the database."""
    given = {key: str(value) for key, value in conninfo_to_dict(os.environ["PLAIN_DSN"]).items()}
    return ConnectionSettings(
        host=given["host"],
        port=int(given.get("port", "5432")),
        user=given["user"],
        password=given.get("password", ""),
        database=given["dbname"],
        disposable=config.disposable,
    )
