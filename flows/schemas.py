"""Extensions and schemas."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.extension import Extension
from pulumi_timescaledb.specs.schema import Schema

from .roles import API_OWNER
from .settings import Settings


def declarations(settings: Settings) -> list[Spec]:
    """The extensions and the four schemas."""
    specs: list[Spec] = [
        Extension(name="timescaledb"),
        Schema(name="flows", comment="Meters, electrical topology and their time series."),
        # Its owner owns every view in it, and must be allowed to create there where tsdbadmin is no superuser.
        Schema(name="api", owner=API_OWNER, comment="What the REST API shows: the rows of the caller's esco."),
        Schema(name="api_private", comment="Functions behind the API; PostgREST does not expose this schema."),
        Schema(name="monitoring", comment="Views on sizes, jobs, connections, replication and archiving."),
    ]
    if settings.query_statistics:
        specs.append(Extension(name="pg_stat_statements"))
    return specs
