"""Extensions and schemas."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.extension import Extension
from pulumi_timescaledb.specs.schema import Schema

from .roles import API_OWNER
from .settings import Settings

_API_COMMENT = """Flows API
Meters, electrical topology and time series of the esco that the token names."""
"""PostgREST makes the first line the title of the OpenAPI document and the rest its description."""


def declarations(settings: Settings) -> list[Spec]:
    """The extensions and the four schemas."""
    specs: list[Spec] = [
        Extension(name="timescaledb", edition=settings.edition, version=settings.timescaledb_version or None),
        Schema(name="flows", comment="Meters, electrical topology and their time series."),
        # Its owner owns every view in it, and must be allowed to create there where tsdbadmin is no superuser.
        Schema(name="api", owner=API_OWNER, comment=_API_COMMENT),
        Schema(name="api_private", comment="Functions behind the API; PostgREST does not expose this schema."),
        Schema(name="monitoring", comment="Views on sizes, jobs, connections, replication and archiving."),
    ]
    if settings.query_statistics:
        specs.append(Extension(name="pg_stat_statements"))
    return specs
