"""What a stack's state and its Docker host do not agree about, put right before an update, which would fail on it.

A run that was killed leaves things half made: the state does not know them, and their names are taken. Containers that
somebody took away, or a disk that died, leave a state that has them: the provider would ask for the database before the
engine makes it again.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.containers.names import Names
from flowsctl.workspace import Workspace

from .host import Host
from .stack import labels

if TYPE_CHECKING:
    from flowsctl.engine import Engine

ON_HOST = {f"docker:index/{kind}:{kind.capitalize()}": kind for kind in ("container", "network", "volume")}
ON_SERVER = {f"postgresql:index/{kind}:{kind.capitalize()}": kind for kind in ("role", "database")}
MADE_ANEW = ("container", "network")
"""What holds no data: a volume that is there already is taken over by the engine as it is."""
OWN_RELATIONS = "SELECT count(*) FROM pg_class WHERE oid >= 16384"
"""Whatever somebody made in a database; PostgreSQL's own have lower numbers (FirstNormalObjectId)."""


@dataclass(frozen=True)
class Thing:
    """What a resource of the state stands for."""

    urn: str
    kind: str
    name: str

    @property
    def at(self) -> tuple[str, str]:
        """As the host calls it."""
        return self.kind, self.name


def settle(engine: Engine, workspace: Workspace, docker_host: str) -> list[Thing]:
    """Removes what a killed run left half made on the host, and lets the state forget what is gone. Returns what was
    half made in the server, for `settle_server` once that runs.

    Raises:
        FlowsError: the daemon does not answer, or the Pulumi command refuses.
    """
    engine.make_stack()
    exported = engine.export()
    state = exported.get("deployment") or {}
    known = things(state.get("resources"), ON_HOST)
    begun = [each["resource"] for each in state.get("pending_operations") or [] if each.get("type") == "creating"]
    host = Host(docker_host)
    try:
        there = host.found(labels(workspace))
        for thing in things(begun, ON_HOST):
            if thing.kind in MADE_ANEW and thing.at in there and thing.at not in {each.at for each in known}:
                host.remove_one(*thing.at)
                _say(f"removed {thing.kind} {thing.name}, which a run that was killed had begun to make")
    finally:
        host.close()
    if begun:  # what is made of them is seen to here, and each would be warned of until a refresh
        operations = state["pending_operations"]
        state["pending_operations"] = [each for each in operations if each["resource"] not in begun]
        engine.import_state(json.dumps(exported))
    if gone := [thing for thing in known if thing.at not in there]:
        _say(f"gone, and made again: {', '.join(f'{thing.kind} {thing.name}' for thing in gone)}")
        engine.forget_gone([thing.urn for thing in gone])
    in_server = {thing.urn for thing in things(state.get("resources"), ON_SERVER)}
    return [thing for thing in things(begun, ON_SERVER) if thing.urn not in in_server]


def settle_server(workspace: Workspace, docker_host: str, half_made: list[Thing]) -> None:
    """Drops roles and the database that a killed run had begun to make: PostgreSQL ends what it was told, and nobody
    hears of it. A database that holds anything is left, and a role that anything depends on cannot be dropped."""
    if not half_made:
        return
    container, host = Names(workspace.project_name, workspace.stack).container("database"), Host(docker_host)

    def ask(sql: str, database: str = "postgres") -> str:
        command = ["psql", "-XqAt", "-h", "/var/lib/flows/run", "-U", "postgres", "-d", database, "-f", "-"]
        done = host.execute(container, command, input=sql.encode())
        return done.text if done.code == 0 else ""

    try:
        for thing in half_made:
            name = '"' + thing.name.replace('"', '""') + '"'
            if thing.kind == "role":
                ask(f"DROP ROLE IF EXISTS {name}")
            elif ask(OWN_RELATIONS, thing.name) == "0":
                ask(f"DROP DATABASE {name} WITH (FORCE)")
                _say(f"dropped the empty database {thing.name}, which a run that was killed had begun to make")
    finally:
        host.close()


def things(resources: list[dict[str, Any]] | None, kinds: dict[str, str]) -> list[Thing]:
    """Those of a state's resources that are of these types."""
    return [
        Thing(each["urn"], kinds[each["type"]], str(each["inputs"]["name"]))
        for each in resources or []
        if each["type"] in kinds and not each.get("delete") and "name" in (each.get("inputs") or {})
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
