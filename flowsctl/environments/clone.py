"""A copy of another stack's database and of its Pulumi state, while that one goes on."""

from __future__ import annotations

from flowsctl.database import EMBEDDED
from flowsctl.engine import Engine
from flowsctl.environments import clone_embedded
from flowsctl.environments.containers import DOCKER, EXTERNAL
from flowsctl.environments.state_copy import copy_state


def clone(origin: Engine, target: Engine, engine: str) -> None:
    """The origin's database, and its state, as the target's own. Its `up` then makes what is missing around it. On an
    external server the copy is there already.

    Raises:
        FlowsError: there is nothing to copy, or the copy did not work.
    """
    if engine == EMBEDDED:
        copy_state(origin, target, clone_embedded.copy_database(origin.workspace, target.workspace))
    elif engine == EXTERNAL:
        from flowsctl.environments import on_server

        copy_state(origin, target, on_server.owned(origin, target), left=on_server.LEFT)
    elif engine == DOCKER:
        from flowsctl.environments import clone_docker

        ledger = clone_docker.copy_cluster(origin, target)
        copy_state(origin, target, ledger, left=clone_docker.LEFT)
