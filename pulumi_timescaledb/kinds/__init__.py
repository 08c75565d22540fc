"""The kinds: one module each, found by the kind's name, loaded when first used."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from ..specs import kind_names, module_name, spec_type
from .base import Context, Kind

__all__ = ["Context", "Kind", "all_kinds", "kind_of"]


@cache
def kind_of(name: str) -> Kind[Any]:
    """The kind of that name, for example "ContinuousAggregate".

    Raises:
        LookupError: there is no such kind.
    """
    spec_type(name)
    module = importlib.import_module(f"{__name__}.{module_name(name)}")
    made: Kind[Any] = getattr(module, f"{name}Kind")()
    return made


def all_kinds() -> dict[str, Kind[Any]]:
    """Every kind by name."""
    return {name: kind_of(name) for name in kind_names()}
