"""Where a stack's database is, known from its config before anything runs. No Pulumi here."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.local.server import EmbeddedServer

from .config import DOCKER, EMBEDDED, StackConfig
from .secrets import StackSecrets
from .server_config import ServerSettings

ADMIN = "tsdbadmin"
"""The user the provider connects as, on every engine that we make ourselves: it owns what is created."""
PEM = "-----BEGIN "


def data_folder(root: Path, stack: str) -> Path:
    """The embedded server's folder."""
    return root / ".flows" / "data" / stack


def admin(config: StackConfig) -> str:
    """The user the provider connects as."""
    return ADMIN if config.engine in (EMBEDDED, DOCKER) else config.server.admin_user


def admin_password(config: StackConfig, secrets: StackSecrets) -> str:
    """Its password; empty where none is asked for."""
    if config.engine == EMBEDDED:
        return ""
    return secrets.password(ADMIN) if config.engine == DOCKER else config.server.admin_password.get_secret_value()


def connection(config: StackConfig, root: Path, stack: str, secrets: StackSecrets) -> ConnectionSettings:
    """How the provider reaches the stack's database. Every value is known at preview: ports are chosen before the run,
    passwords derived."""
    server = config.server
    common = ConnectionSettings(
        user=admin(config),
        password=admin_password(config, secrets),
        disposable=config.disposable,
        history_file=str(root / ".flows" / "history" / f"{stack}.jsonl"),
        edition=config.settings.edition,
    )
    if config.engine == EMBEDDED:
        embedded = EmbeddedServer(data_folder(root, stack))
        return replace(common, host=str(embedded.socket_dir), port=embedded.port, embedded_folder=str(embedded.folder))
    if config.engine == DOCKER:
        # The published port is on this machine, or behind whatever secures the way to the daemon's host.
        return replace(
            common,
            host=server.reachable_host,
            port=server.database_port,
            database=server.database_name,
            sslmode="disable",
        )
    return replace(
        common,
        host=server.host,
        port=server.port,
        database=server.database_name,
        sslmode=server.tls,
        sslrootcert=certificate_file(server, root, stack),
    )


def certificate_file(server: ServerSettings, root: Path, stack: str) -> str:
    """The CA's certificate as libpq wants it, a file: one given as text is written beside the stack's own files.
    Without one libpq looks for a file in the home folder; `system` is what the operating system trusts (libpq 16)."""
    given = server.sslrootcert.strip()
    if not given:
        return "system" if server.tls == "verify-full" else ""
    if not given.startswith(PEM):
        return str((root / given).resolve())
    text = given + "\n"
    path = root / ".flows" / "stacks" / stack / f"ca-{hashlib.sha256(text.encode()).hexdigest()[:12]}.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return str(path)
