"""Roles of several databases on one server: every declared role, and every mention of one, under a prefix.

The areas declare under the plain names; what mentions a role within SQL text takes it from `Settings` by `prefixed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.grant import Grant
from pulumi_timescaledb.specs.role import Role

from .settings import Settings


def prefixed(settings: Settings, *roles: str) -> tuple[str, ...]:
    """Names of declared roles as they are on the server."""
    return tuple(f"{settings.role_prefix}{role}" for role in roles)


def under_prefix(specs: Iterable[Spec], settings: Settings) -> Iterator[Spec]:
    """The declarations with their own roles renamed. Others, as pg_monitor and `public`, are the server's."""
    given = [*specs]
    names = {spec.name: f"{settings.role_prefix}{spec.name}" for spec in given if isinstance(spec, Role)}
    for spec in given:
        yield spec.model_copy(update=dict(_changes(spec, names))) if settings.role_prefix else spec


def _changes(spec: Spec, names: dict[str, str]) -> Iterator[tuple[str, Any]]:
    if isinstance(spec, Role):
        yield "name", names[spec.name]
    if isinstance(spec, Grant):
        creators = [
            each.model_copy(update={"creator": names.get(each.creator, each.creator)}) for each in spec.defaults
        ]
        yield "defaults", tuple(creators)
    for field in [field for named in spec.NAMES if named.kind == "Role" for field in named.fields]:
        value = getattr(spec, field)
        found = tuple(names.get(each, each) for each in value) if isinstance(value, tuple) else names.get(value, value)
        yield field, found
