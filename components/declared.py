"""The Manifest's whole picture, from config alone: `__main__.py` hands it to the engine, `flowsctl plan` plans from it.

No Pulumi here: importing its SDK alone would take `plan`'s time budget.
"""

from __future__ import annotations

from flows import declarations
from pulumi_timescaledb.whole import Whole

from .access import in_database, with_passwords
from .config import EMBEDDED, StackConfig
from .secrets import StackSecrets


def declared(config: StackConfig, secrets: StackSecrets) -> Whole:
    """Every declaration of the stack that is our own provider's; on the embedded engine that includes the roles, those
    that log in with their passwords.

    Raises:
        ValueError: something is declared twice, or a role has what this engine cannot give it.
    """
    specs = with_passwords(declarations(config.settings), secrets)
    return Whole(specs if config.engine == EMBEDDED else in_database(specs))
