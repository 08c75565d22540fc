"""The Manifest's whole picture, from config alone: `__main__.py` hands it to the engine, `flowsctl plan` plans from it.

No Pulumi here: importing its SDK alone would take `plan`'s time budget.
"""

from __future__ import annotations

from flows import declarations
from pulumi_timescaledb.whole import Whole

from .access import with_passwords
from .config import StackConfig
from .secrets import StackSecrets


def declared(config: StackConfig, secrets: StackSecrets) -> Whole:
    """Every declaration of the stack, login roles with their passwords.

    Raises:
        ValueError: something is declared twice.
    """
    return Whole(with_passwords(declarations(config.settings), secrets))
