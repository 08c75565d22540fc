"""What only the whole picture shows: the rules between declarations."""

from __future__ import annotations

import importlib
import pkgutil

from . import rules
from .capabilities import ServerCapabilities
from .whole import Whole


def violations(whole: Whole, capabilities: ServerCapabilities) -> list[str]:
    """What the rules say against these declarations: each a sentence with the safe pattern. One module of `rules/`
    is one rule."""
    found = []
    for info in sorted(pkgutil.iter_modules(rules.__path__), key=lambda module: module.name):
        rule = importlib.import_module(f"{rules.__name__}.{info.name}")
        found += list(rule.check(whole, capabilities))
    try:
        _ = whole.creation_order
    except ValueError as error:
        found.append(str(error))
    return found
