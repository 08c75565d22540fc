"""The REST API: PostgREST with JWT, over the `api` schema only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi

from flows.policies import EXPOSED
from pulumi_timescaledb.resources import RestApi

from .engine import DatabaseServer
from .secrets import StackSecrets

AUTHENTICATOR = "authenticator"


def embedded_api(
    server: DatabaseServer,
    secrets: StackSecrets,
    port: int,
    folder: Path,
    audience: str,
    after: Sequence[pulumi.Resource],
) -> RestApi:
    """PostgREST as a process beside the embedded server."""
    properties: dict[str, Any] = {
        "folder": str(folder),
        "port": port,
        "dsn": server.dsn(AUTHENTICATOR),
        "jwtSecret": secrets.jwt(),
        "schemas": [*EXPOSED],
        "preRequest": "api_private.pre_request",
        "openapiUrl": f"http://127.0.0.1:{port}",
    }
    if audience:
        properties["jwtAudience"] = audience
    return RestApi("rest-api", pulumi.ResourceOptions(provider=server.machine, depends_on=[*after]), **properties)
