"""The plain schema's declarations as they are: its roles belong to the provider."""

from __future__ import annotations

from flows import declarations
from pulumi_timescaledb.whole import Whole

from .config import StackConfig
from .secrets import StackSecrets


def declared(config: StackConfig, secrets: StackSecrets) -> Whole:
    """Every declaration."""
    return Whole(declarations(config.settings))
