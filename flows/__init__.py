"""What the Flows database contains, as typed declarations: pure data, no Pulumi, no connection."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec

from . import (
    aggregates,
    api,
    enums,
    functions,
    grants,
    jobs,
    keys,
    monitoring,
    roles,
    schemas,
    tables,
    tenancy,
    timeseries,
    triggers,
    views,
)
from .settings import Settings

AREAS = (
    roles,
    schemas,
    enums,
    tables,
    timeseries,
    keys,
    aggregates,
    functions,
    triggers,
    views,
    api,
    tenancy,
    monitoring,
    jobs,
    grants,
)
"""Modules with `declarations(settings)`, in reading order; references, not this order, say what is made first."""


def declarations(settings: Settings | None = None) -> list[Spec]:
    """Every object of the Flows database under these settings."""
    chosen = settings or Settings()
    return [spec for area in AREAS for spec in area.declarations(chosen)]


__all__ = ["Settings", "declarations"]
