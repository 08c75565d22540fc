"""Letting a stack go on with a restored copy: after a dead disk, a lost host, or a day that nobody wants back.

The copy's cluster takes the place of the stack's own, in the stack's volume. Everything else of the stack stays as it
is: containers, ports, passwords, state, repository. The archive goes on with the timeline that the restore began; it is
the same cluster (system identifier), so older backups and the window stay good.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from components.containers.names import Names
from components.containers.restore import switch as switch_container
from flowsctl.containers.host import Host
from flowsctl.errors import EXIT_REFUSED, FlowsError
from flowsctl.restoring import copies
from flowsctl.restoring.making import Tell
from flowsctl.restoring.origin import Origin
from flowsctl.restoring.promoting import HEALTHY_SECONDS, end_recovery

COPY_SECONDS = 24 * 3600
ON_DATA = ("scheduler", "database")
"""Containers that the volume `data` is mounted in, in the order they are stopped."""


@dataclass(frozen=True)
class Switched:
    """What a switch came to."""

    stack: str
    copy: str
    started: bool
    """Whether the stack's containers were there and run again."""
    stopped: float
    """Seconds in which the stack's database did not run, if it did before."""
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The documented form of `restore switch --json`."""
        return vars(self) | {"stopped": round(self.stopped, 3), "seconds": round(self.seconds, 3)}


def switch(host: Host, origin: Origin, name: str, tell: Tell, *, image: str = "") -> Switched:
    """The stack of `origin` goes on with its copy `name`, which is gone then. What the stack had is set aside in its
    volume, as pg.before. Containers that the stack has lost are not made: `flowsctl up` does that.

    Raises:
        FlowsError: there is no such copy, or it is not ready (refused); the cluster could not be put there: then the
            stack is as it was, but stopped.
    """
    began = time.monotonic()
    names = Names(origin.names.project, name)
    found = copies.existing(host, names)
    if found.state != "ready" or found.origin != origin.names.stack:
        raise FlowsError(
            f"{name} is {found.state}, a copy of stack {found.origin}",
            "a switch takes a copy of its own stack that is ready and was not promoted",
            EXIT_REFUSED,
        )
    end_recovery(host, names)
    host.stop(names.container(copies.DATABASE))
    there = [part for part in ON_DATA if host.health(origin.names.container(part))[0] != "missing"]
    stopped = time.monotonic()
    for part in there:
        tell(f"stopping {origin.names.container(part)}")
        host.stop(origin.names.container(part))
    host.volume(origin.names.volume("data"), origin.names.labels("data"))
    tell("putting the cluster in its place")
    work = switch_container(names, origin.names, image or origin.server.image)
    labelled = replace(work, labels=copies.labels(names, origin.names, "switch"))
    host.run(labelled, COPY_SECONDS).checked("the switch", "start the stack's containers again: docker start")
    for part in reversed(there):
        tell(f"starting {origin.names.container(part)}")
        host.restart(origin.names.container(part))
        if part == copies.DATABASE:
            host.healthy(origin.names.container(part), HEALTHY_SECONDS)
    down = time.monotonic() - stopped if there else 0.0
    copies.remove(host, names)
    return Switched(origin.names.stack, name, bool(there), down, time.monotonic() - began)
