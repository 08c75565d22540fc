"""What the Flows database contains, as typed declarations: pure data, no Pulumi, no connection."""

from __future__ import annotations

import importlib
from typing import Any

from pulumi_timescaledb.specs.base import Spec

from .role_prefix import under_prefix
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
    "backup_ledger",
    "jobs",
    "grants",
)
"""Modules with `declarations(settings)`, in reading order; references, not this order, say what is made first. They
load when they are asked: who only wants the settings does not wait for them."""


def declarations(settings: Settings | None = None) -> list[Spec]:
    """Every object of the Flows database under these settings, as far as the edition has it."""
    chosen = settings or Settings()
    specs = everything(chosen)
    return specs if chosen.edition == "community" else list(_edition().apache(specs))


def everything(settings: Settings) -> list[Spec]:
    """Every object that edition community has, whichever is configured."""
    areas = [importlib.import_module(f"{__name__}.{area}") for area in AREAS]
    return [*under_prefix((spec for area in areas for spec in area.declarations(settings)), settings)]


def server_roles(settings: Settings) -> list[Spec]:
    """The roles and memberships alone, which on a real server are made before the database."""
    return [*under_prefix(importlib.import_module(f"{__name__}.roles").declarations(settings), settings)]


def warnings(settings: Settings) -> list[str]:
    """What the configured edition takes away: a sentence for each kind of object, with names and consequence."""
    return [] if settings.edition == "community" else list(_edition().warnings(everything(settings), settings))


def _edition() -> Any:
    return importlib.import_module(f"{__name__}.edition")


__all__ = ["Settings", "declarations", "everything", "server_roles", "warnings"]
