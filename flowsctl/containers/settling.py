"""What a stack's state and its Docker host do not agree about, put right before an update, which would fail on it.

A run that was killed leaves containers half made: the state does not know them, and their names are taken. Containers
that somebody took away, or a disk that died, leave a state that has them: the provider would ask for the database
before the engine makes it again.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowsctl.workspace import Workspace

from .host import Host
from .stack import labels

if TYPE_CHECKING:
    from flowsctl.engine import Engine

KINDS = {f"docker:index/{kind}:{kind.capitalize()}": kind for kind in ("container", "network", "volume")}
MADE_ANEW = ("container", "network")
"""What holds no data: a volume that is there already is taken over by the engine as it is."""


@dataclass(frozen=True)
class Thing:
    """A container, network or volume of the state."""

    urn: str
    kind: str
    name: str

    @property
    def at(self) -> tuple[str, str]:
        """As the host calls it."""
        return self.kind, self.name


def settle(engine: Engine, workspace: Workspace, docker_host: str) -> None:
    """Removes what a killed run left half made, and lets the state forget what is gone.

    Raises:
        FlowsError: the daemon does not answer, or the Pulumi command refuses.
    """
    engine.make_stack()
    exported = engine.export()
    state = exported.get("deployment") or {}
    known = things(state.get("resources") or [])
    begun = [each for each in state.get("pending_operations") or [] if each.get("type") == "creating"]
    host = Host(docker_host)
    try:
        there = host.found(labels(workspace))
        for thing in things([each["resource"] for each in begun]):
            if thing.kind in MADE_ANEW and thing.at in there and thing.at not in {each.at for each in known}:
                host.remove_one(*thing.at)
                _say(f"removed {thing.kind} {thing.name}, which a run that was killed had begun to make")
    finally:
        host.close()
    done = [each for each in begun if each["resource"]["type"] in KINDS]
    if done:
        state["pending_operations"] = [each for each in state["pending_operations"] if each not in done]
        engine.import_state(json.dumps(exported))
    if gone := [thing for thing in known if thing.at not in there]:
        _say(f"gone, and made again: {', '.join(f'{thing.kind} {thing.name}' for thing in gone)}")
        engine.forget_gone([thing.urn for thing in gone])


def things(resources: list[dict[str, Any]]) -> list[Thing]:
    """Those of a state's resources that stand for something on the host."""
    return [
        Thing(each["urn"], KINDS[each["type"]], str(each["inputs"]["name"]))
        for each in resources
        if each["type"] in KINDS and not each.get("delete") and "name" in (each.get("inputs") or {})
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
