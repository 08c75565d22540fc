"""What is said of an environment: in a table, in lines, as JSON."""

from __future__ import annotations

import time
from typing import Any

from components import place
from components.config import StackConfig
from components.secrets import StackSecrets
from flowsctl import stack_file
from flowsctl.environments.record import Environment
from flowsctl.workspace import Workspace, repository


def state(found: Environment) -> str:
    """Its state in words."""
    if found.is_abandoned:
        return f"{found.state}, abandoned"
    return "expired" if found.state == "ready" and found.expired else found.state


def left(found: Environment) -> str:
    """Time left, in the two largest units."""
    return time_left(found.expires)


def time_left(expires: float) -> str:
    """Time until then, in the two largest units."""
    rest = int(expires - time.time())
    if rest <= 0:
        return "none"
    days, hours, minutes = rest // 86400, rest % 86400 // 3600, rest % 3600 // 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min {rest % 60} s"


def api_of(found: Environment) -> str:
    """URL of its API, from its stack file."""
    port = stack_file.effective(Workspace(repository(), found.stack), "apiPort", {})
    return f"http://127.0.0.1:{port}" if port else ""


def shown(found: Environment) -> dict[str, Any]:
    """The documented JSON form."""
    host, port, name, _ = _database(found)
    at = host if found.engine == "embedded" else f"{host}:{port}/{name}"
    return found.as_json() | {"api": api_of(found), "database": at}


def _database(found: Environment) -> tuple[str, int, str, str]:
    """Host (a socket's folder), port and name of its database, and its administrator, from its stack file."""
    workspace = Workspace(repository(), found.stack)
    config = StackConfig.read(stack_file.values(workspace, {}))
    there = place.connection(config, workspace.root, workspace.stack, StackSecrets("where it is, not how to get in"))
    return there.host, there.port, there.database, there.user


def tell(found: Environment) -> None:
    """Where it is and what to try next."""
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.expires))
    rows = [
        ("environment", found.name),
        ("stack", found.stack),
        ("state", f"{state(found)}, until {until} ({left(found)} left)"),
        ("made from", f"stack {found.origin}, data {found.data}, engine {found.engine}"),
        ("API", api_of(found)),
        ("database", "host={} port={} dbname={} user={}".format(*_database(found))),
        ("next", f"bin/flowsctl psql --stack {found.stack}; bin/flowsctl preview --stack {found.stack}"),
    ]
    print("\n".join(f"{name:<12}{value}" for name, value in rows))
