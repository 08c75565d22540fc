"""What a stack tells other tools: `flowsctl` and everybody else read these outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.specs import Spec

from . import access
from .config import EMBEDDED, StackConfig
from .engine import DatabaseServer
from .secrets import StackSecrets


def _tls(reach: ConnectionSettings) -> dict[str, str]:
    if reach.host.startswith("/"):
        return {}
    return {"sslmode": reach.sslmode, **({"sslrootcert": reach.sslrootcert} if reach.sslrootcert else {})}


def of(config: StackConfig, server: DatabaseServer, roles: Sequence[Spec], secrets: StackSecrets) -> dict[str, Any]:
    """Values by name; `api` is absent where there is none."""
    reach = server.settings
    passwords = {role: secrets.password(role) for role in access.login_roles(roles)}
    if reach.password:
        passwords[reach.user] = reach.password
    found: dict[str, Any] = {
        "rootSecret": pulumi.Output.secret(secrets.root),
        "engine": server.engine,
        "database": {
            "host": reach.host,
            "port": reach.port,
            "name": reach.database,
            "user": reach.user,
            "dsn": server.dsn(reach.user),
            **_tls(reach),
        },
        "roles": access.roles(roles),
        "rolePrefix": config.settings.role_prefix,
        "jwtAudience": config.settings.jwt_aud,
        "jwtSecret": pulumi.Output.secret(secrets.jwt()),
        "passwords": pulumi.Output.secret(passwords),
    }
    if config.engine == EMBEDDED or config.server.api_enabled:
        host = "127.0.0.1" if config.engine == EMBEDDED else config.server.reachable_host
        found["api"] = {"url": f"http://{host}:{config.api_port}"}
    return found
