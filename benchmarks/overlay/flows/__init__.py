"""The plain schema in the place of the Flows database, for `benchmarks.plain`."""

from __future__ import annotations

import os

from benchmarks.plain_schema import declarations as plain_declarations
from pulumi_timescaledb.specs.base import Spec

from .settings import Settings


def declarations(settings: Settings | None = None) -> list[Spec]:
    """As many objects as the benchmark asks for."""
    return plain_declarations(int(os.environ["PLAIN_OBJECTS"]))


def server_roles(settings: Settings) -> list[Spec]:
    """None: nobody but the provider makes this program's roles."""
    return []


def warnings(settings: Settings) -> list[str]:
    """Nothing of the plain schema depends on the edition."""
    return []


__all__ = ["Settings", "declarations", "server_roles", "warnings"]
