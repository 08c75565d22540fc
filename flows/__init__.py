"""What the Flows database contains, as typed declarations: pure data, no Pulumi, no connection."""

from __future__ import annotations

import importlib

from pulumi_timescaledb.specs.base import Spec

from .settings import Settings

AREAS = (
    "roles",
    "schemas",
    "enums",
    "tables",
    "timeseries",
    "keys",
    "aggregates",
    "functions",
    "triggers",
    "views",
    "api",
    "tenancy",
    "monitoring",
    "jobs",
    "grants",
)
"""Modules with `declarations(settings)`, in reading order; references, not this order, say what is made first. They
load when they are asked: who only wants the settings does not wait for them."""


def declarations(settings: Settings | None = None) -> list[Spec]:
    """Every object of the Flows database under these settings."""
    chosen = settings or Settings()
    areas = [importlib.import_module(f"{__name__}.{area}") for area in AREAS]
    return [spec for area in areas for spec in area.declarations(chosen)]


__all__ = ["Settings", "declarations"]
