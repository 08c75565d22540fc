"""Claiming a name: the record and the stack file come first, under a lock, so that two makers never meet."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from components.config import StackConfig
from flowsctl import stack_file
from flowsctl.alone import alone
from flowsctl.database import EMBEDDED
from flowsctl.environments import on_server, record
from flowsctl.environments.containers import DOCKER, EXTERNAL, refuse_foreign
from flowsctl.environments.names import stack_of
from flowsctl.environments.record import Environment
from flowsctl.environments.secrets_copy import secret_keys
from flowsctl.errors import FlowsError, UsageError
from flowsctl.workspace import Workspace, dump_yaml, write_atomically

ENGINES = (EMBEDDED, DOCKER, EXTERNAL)
DATA = ("none", "demo", "clone")
OWN_KEYS = (stack_file.ROOT_SECRET, *stack_file.AUTOMATIC_PORTS, "backupS3Path")
"""Values that every stack has for itself."""


@dataclass(frozen=True)
class Wanted:
    """An environment that somebody asks for. `lifetime` in seconds."""

    name: str
    origin: str
    engine: str = ""
    data: str = "none"
    lifetime: int = 259_200
    disconnect: bool = False
    """Whether a clone on an external server may end the sessions of the origin's database."""


def claim(root: Path, wanted: Wanted) -> Environment:
    """A new environment's record and stack file, with ports that no other stack of this tree has.

    Raises:
        FlowsError: there is one of that name, or it is being made or destroyed right now.
        UsageError: the data, the engine or the stack it shall come from does not exist.
    """
    name, stack = wanted.name, stack_of(wanted.name)
    if wanted.data not in DATA:
        raise UsageError(f"--data {wanted.data} is not known", f"take one of {', '.join(DATA)}")
    workspace = Workspace(root, stack)
    with alone(root):
        before = record.read(root, stack)
        if before is not None:
            raise FlowsError(f'there is an environment "{name}" ({_state(before)})', _way_out(before))
        now = time.time()
        origin = Workspace(root, wanted.origin)
        config = _config(origin, wanted)
        chosen = str(config[f"{workspace.project_name}:engine"])
        made = Environment(name, stack, wanted.origin, chosen, wanted.data, now, now + wanted.lifetime)
        if chosen == EXTERNAL:
            made = replace(
                made, claim=uuid.uuid4().hex, admin_database=on_server.admin_database(StackConfig.read(config))
            )
            own = on_server.own_config(on_server.label_of(workspace, made))
            config |= {f"{workspace.project_name}:{key}": value for key, value in own.items()}
        if stack_file.needs_containers(chosen, config.get(f"{workspace.project_name}:apiEnabled")):
            refuse_foreign(workspace, str(config.get(f"{workspace.project_name}:dockerHost") or ""))
        made = made.in_state("creating")
        made.write(root)
        for key in stack_file.AUTOMATIC_PORTS if chosen == DOCKER else (stack_file.API_PORT,):
            config[f"{workspace.project_name}:{key}"] = _port(root, workspace.project_name, config)
        write_atomically(workspace.config_file, dump_yaml({"config": config}))
    return made


def _config(origin: Workspace, wanted: Wanted) -> dict[str, object]:
    """The origin's settings without what is its own or secret, for a stack that may lose everything."""
    file = stack_file.read(origin.committed_file) or stack_file.read(origin.config_file)
    if not file:
        raise UsageError(f"there is no stack {origin.stack}", "name one that has a Pulumi.<stack>.yaml with --from")
    own = {f"{origin.project_name}:{key}" for key in OWN_KEYS} | {*secret_keys(origin)}
    config: dict[str, object] = {key: value for key, value in (file.get("config") or {}).items() if key not in own}
    theirs = str(config.get(f"{origin.project_name}:engine") or ENGINES[0])
    chosen = wanted.engine or theirs
    if chosen not in ENGINES:
        raise UsageError(f"there is no engine {chosen}", f"take one of {', '.join(ENGINES)}")
    if chosen == EXTERNAL and theirs != EXTERNAL:
        raise UsageError(
            f"stack {origin.stack} is on engine {theirs}, so it names no server",
            "name a stack on that server with --from",
        )
    if wanted.data == "clone" and chosen != theirs:
        raise UsageError(
            f"stack {origin.stack} is on engine {theirs}: a clone of it cannot be on {chosen}",
            "leave --engine out, or take --data demo",
        )
    return config | {f"{origin.project_name}:engine": chosen, f"{origin.project_name}:disposable": "true"}


def _port(root: Path, namespace: str, own: dict[str, object]) -> int:
    """A free port that no stack of this tree has chosen, whether or not it listens now, nor `own` config."""
    files = (root / ".flows" / "stacks").glob("*/Pulumi.*.yaml")
    configs = [own, *(stack_file.read(path).get("config") or {} for path in files)]
    taken = {config.get(f"{namespace}:{key}") for config in configs for key in stack_file.AUTOMATIC_PORTS}
    for _ in range(stack_file.PORT_ATTEMPTS):
        port = stack_file.free_port()
        if port not in taken:
            return port
    raise FlowsError("no free port was found", "destroy environments that are not needed")


def _state(found: Environment) -> str:
    if found.is_abandoned:
        return f"{found.state}, left behind by a run that died"
    return found.state


def _way_out(found: Environment) -> str:
    if found.is_abandoned:
        return "run flowsctl env gc, then create it again"
    return f'use it (flowsctl --stack {found.stack}), or flowsctl env destroy "{found.name}"'
