"""Taking an environment away, and finding what is due: past its time, left half-made, or left over without a record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowsctl.environments import record
from flowsctl.environments.containers import EXTERNAL, remove_containers
from flowsctl.environments.names import PREFIX
from flowsctl.environments.record import Environment
from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace

if TYPE_CHECKING:
    from flowsctl.engine import Engine
    from flowsctl.environments.server_claim import Label

ENDING_SECONDS = 10.0
"""For an engine that lost its flowsctl, to stop in order."""


@dataclass(frozen=True)
class Due:
    """Something that gc takes away, and why."""

    stack: str
    name: str
    why: str
    abandoned: bool = False
    is_copy: bool = False
    """Whether it is a restored copy, not an environment."""
    label: Label | None = None
    """Of an environment on a server that no record here knows."""


def remove(root: Path, environment: Environment) -> None:
    """Everything of an environment: processes, data, stack, files; the record goes last.

    All that the stack's resources stand for is in its data folder, or carries its labels on a Docker host, so nothing
    is asked of the engine: a broken environment goes as well as a sound one.

    Raises:
        FlowsError: the backend would not forget the stack, or its Docker host does not answer.
    """
    abandoned = environment.is_abandoned
    environment.in_state("destroying").write(root)
    clear(root, environment.stack, abandoned=abandoned)


def clear(root: Path, stack: str, *, abandoned: bool = False) -> None:
    """What an environment's stack has left anywhere, with or without its record. `abandoned`: whoever worked on it has
    died, so that an engine still at work on it is nobody's.

    Raises:
        FlowsError: a living run holds the stack (nothing is touched then); or see `remove`.
    """
    from flowsctl import locks
    from flowsctl.database import remove_local_processes
    from flowsctl.environments import on_server
    from flowsctl.environments.making import open_engine

    if not stack.startswith(PREFIX):
        raise FlowsError(f"stack {stack} is not an environment", "use flowsctl destroy")
    workspace = Workspace(root, stack)
    if abandoned:
        locks.end_holders(workspace, ENDING_SECONDS)
    locks.clear_dead_locks(workspace)
    remove_local_processes(workspace)
    remove_containers(workspace)
    found = record.read(root, stack)
    if found is not None and found.engine == EXTERNAL:
        on_server.remove(open_engine(root, stack), found)
    if workspace.config_file.exists() or _in_state(workspace):
        open_engine(root, stack).forget(force=True)
    workspace.remove()


def due(root: Path) -> Iterator[Due]:
    """What gc takes away: nothing that lacks the environments' prefix, nothing that lives and has time left."""
    left_over = _left_over(root)  # before the records: one that appears meanwhile then has its record
    known = set()
    for each in record.every(root):
        known.add(each.stack)
        if each.is_abandoned:
            yield Due(each.stack, each.name, f"left {each.state} by a run that died", abandoned=True)
        elif each.state == "ready" and each.expired:
            yield Due(each.stack, each.name, "past its time to live")
    for stack in sorted(left_over - known):
        yield Due(stack, "", "left over without a record")


def left_copies(root: Path) -> Iterator[Due]:
    """Restored copies that a run left that died; none where no Docker daemon answers."""
    from flowsctl.containers.host import Host
    from flowsctl.restoring.copies import abandoned

    try:
        host = Host()
        host.client  # noqa: B018 opens it
    except FlowsError:
        return
    for each in abandoned(host, Workspace(root, "any").project_name):
        yield Due(each.name, each.name, "a restored copy, left by a run that died", is_copy=True)


def expired_on(origin: Engine) -> Iterator[Due]:
    """Environments past their time on the server of a stack that another working tree, or none any more, knows."""
    from flowsctl.environments import on_server

    known = {each.claim for each in record.every(origin.workspace.root)}
    for label in on_server.labels(origin):
        if label.word not in known and time.time() >= label.expires:
            why = f"past its time to live, on the server of stack {origin.workspace.stack}"
            yield Due(label.stack, label.name, why, label=label)


def remove_copy(root: Path, name: str) -> None:
    """Takes a restored copy away."""
    from components.containers.names import Names
    from flowsctl.containers.host import Host
    from flowsctl.restoring import copies

    copies.discard(Host(), Names(Workspace(root, "any").project_name, name))


def _left_over(root: Path) -> set[str]:
    """Stacks with the environments' prefix that have files, data or state."""
    flows = root / ".flows"
    found = {path.name for folder in ("stacks", "data") for path in (flows / folder).glob(f"{PREFIX}*")}
    return found | {stack for stack in Workspace(root, "any").states() if stack.startswith(PREFIX)}


def _in_state(workspace: Workspace) -> bool:
    return workspace.backend_folder is None or workspace.stack in workspace.states()
