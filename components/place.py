"""Where a stack's database is, known from its config before anything runs. No Pulumi here."""

from __future__ import annotations

from pathlib import Path

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.local.server import EmbeddedServer

from .config import StackConfig

ADMIN = "tsdbadmin"
"""The user the provider connects as, on every engine: it owns what is created."""


def data_folder(root: Path, stack: str) -> Path:
    """The embedded server's folder."""
    return root / ".flows" / "data" / stack


def connection(config: StackConfig, root: Path, stack: str) -> ConnectionSettings:
    """How the provider reaches the stack's database: a Unix socket whose place follows from the folder."""
    folder = data_folder(root, stack)
    embedded = EmbeddedServer(folder)
    return ConnectionSettings(
        host=str(embedded.socket_dir),
        port=embedded.port,
        user=ADMIN,
        database="postgres",
        embedded_folder=str(folder),
        disposable=config.disposable,
        history_file=str(root / ".flows" / "history" / f"{stack}.jsonl"),
    )
