"""The spec types: one module per kind, found by its name, so that a new kind edits nothing here."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

from .base import Part, Reference, Spec

__all__ = ["Part", "Reference", "Spec", "kind_names", "module_name", "spec_type"]


def module_name(kind: str) -> str:
    """Module that holds a kind: "ContinuousAggregate" -> "continuous_aggregate"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()


def kind_names() -> list[str]:
    """Every kind, sorted."""
    modules = (m.name for m in pkgutil.iter_modules(__path__))
    return sorted("".join(p.title() for p in name.split("_")) for name in modules if name != "base")


def spec_type(kind: str) -> type[Spec]:
    """The spec type of a kind.

    Raises:
        LookupError: there is no such kind.
    """
    try:
        module = importlib.import_module(f"{__name__}.{module_name(kind)}")
    except ModuleNotFoundError as error:
        raise LookupError(f'there is no kind "{kind}"; there are {", ".join(kind_names())}') from error
    found = getattr(module, kind)
    assert isinstance(found, type)
    assert issubclass(found, Spec)
    return found


def __getattr__(name: str) -> Any:
    """`specs.Table`, and the parts next to it: `specs.Column`."""
    if name.startswith("_"):
        raise AttributeError(name)
    for info in pkgutil.iter_modules(__path__):
        if info.name != "base":
            module = importlib.import_module(f"{__name__}.{info.name}")
            found = module.__dict__.get(name)
            if isinstance(found, type) and found.__module__ == module.__name__:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
