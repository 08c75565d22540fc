"""The REST API: PostgREST with JWT, over the `api` schema only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi

from flows.policies import EXPOSED
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.resources import Provider, RestApi

from .secrets import StackSecrets

AUTHENTICATOR = "authenticator"


def embedded_api(
    connection: ConnectionSettings,
    machine: Provider,
    secrets: StackSecrets,
    port: int,
    folder: Path,
    audience: str,
    role_prefix: str,
    after: Sequence[pulumi.Resource],
) -> RestApi:
    """PostgREST as a process beside the embedded server."""
    user = f"{role_prefix}{AUTHENTICATOR}"
    properties: dict[str, Any] = {
        "folder": str(folder),
        "port": port,
        "dsn": f"host={connection.host} port={connection.port} dbname={connection.database} user={user}",
        "jwtSecret": secrets.jwt(),
        "schemas": [*EXPOSED],
        "preRequest": "api_private.pre_request",
        "openapiUrl": f"http://127.0.0.1:{port}",
    }
    if audience:
        properties["jwtAudience"] = audience
    return RestApi("rest-api", pulumi.ResourceOptions(provider=machine, depends_on=[*after]), **properties)
