"""Whether an update has to look first: the engine compares the program with its state, not with the database."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from flowsctl import stack_file
from flowsctl.errors import FlowsError
from flowsctl.options import Options
from flowsctl.session import open_workspace

if TYPE_CHECKING:
    from components.config import StackConfig
    from pulumi_timescaledb.drift import Drift
    from pulumi_timescaledb.snapshot import Snapshot

EMBEDDED = "embedded"


def all_drift(snapshot: Snapshot, owner: str, config: StackConfig) -> list[Drift]:
    """What was changed behind the program's back: objects in the ledger, and the roles that pulumi-postgresql made."""
    from pulumi_timescaledb.drift import drifted

    found = list(drifted(snapshot, owner))
    # Nothing in the ledger: the first update has not been there yet, or the stack was taken away.
    if config.engine == EMBEDDED or not any(entry.stack == owner for entry in snapshot.entries.values()):
        return found
    from components.role_drift import drifted_roles
    from flows import server_roles

    return [*drifted_roles(snapshot, server_roles(config.settings)), *found]


def answers(options: Options) -> bool:
    """Whether the stack's database was made and takes connections."""
    from components.config import ConfigError, StackConfig
    from flowsctl import reach
    from pulumi_timescaledb.errors import ProviderError

    async def asked() -> bool:
        workspace = open_workspace(options)
        config = StackConfig.read(stack_file.values(workspace, options.config))
        database = reach.database(workspace, config, reach.connection(options, workspace, config))
        if database.gone():
            return False
        try:
            async with database.connection():
                return True
        finally:
            await database.close()

    try:
        return asyncio.run(asked())
    except (ConfigError, FlowsError, ProviderError):
        return False


def has_drifted(options: Options) -> bool:
    """Whether the database shows anything else than what was applied. False where nobody can tell, because there is no
    database yet or it does not answer: the update that follows says what is wrong."""
    workspace = open_workspace(options)
    embedded = str(stack_file.effective(workspace, "engine", options.config)) == EMBEDDED
    if embedded and not workspace.data.exists():
        return False
    from components.config import ConfigError, StackConfig
    from flowsctl import reach
    from pulumi_timescaledb.errors import ProviderError
    from pulumi_timescaledb.snapshot import take

    async def found() -> list[Drift]:
        config = StackConfig.read(stack_file.values(workspace, options.config))
        database = reach.database(workspace, config, reach.connection(options, workspace, config))
        if database.gone() or not database.running():
            return []
        try:
            return all_drift(await take(database), workspace.owner, config)
        finally:
            await database.close()

    try:
        drifts = asyncio.run(found())
    except (ConfigError, FlowsError, ProviderError):
        return False
    if drifts:
        names = ", ".join(f"{each.kind} {each.id}" for each in drifts[:3]) + (", ..." if len(drifts) > 3 else "")
        print(f"{len(drifts)} changed outside of Pulumi ({names}): looking at the database first", file=sys.stderr)
    return bool(drifts)
