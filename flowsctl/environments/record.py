"""The record of an environment: what it is called, when it ends, how far its making has come."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from flowsctl.workspace import Workspace, write_atomically
from pulumi_timescaledb.local.process import ProcessRecord, identify

FILE = "environment.json"
State = Literal["creating", "ready", "destroying"]


@dataclass(frozen=True)
class Environment:
    """One environment. Times are seconds since 1970, UTC."""

    name: str
    stack: str
    origin: str
    engine: str
    data: str
    created: float
    expires: float
    state: State = "creating"
    worker: dict[str, Any] = field(default_factory=dict)
    """The process that is making or destroying it; empty while nobody is."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds that each part of its making took."""
    claim: str = ""
    """Engine external: the word in the label on the server that says that it is this environment's."""
    admin_database: str = ""
    """Engine external: a database of the server to make and drop others from."""

    @property
    def expired(self) -> bool:
        """Whether its time to live is over."""
        return time.time() >= self.expires

    @property
    def is_abandoned(self) -> bool:
        """Whether whoever was making or destroying it has died."""
        return self.state != "ready" and not (self.worker and ProcessRecord(**self.worker).alive())

    def in_state(self, state: State, **changes: Any) -> Environment:
        """This environment in another state; unless it is ready, this process works on it."""
        own = identify(os.getpid())
        worker = asdict(own) if own is not None and state != "ready" else {}
        return replace(self, state=state, worker=worker, **changes)

    def write(self, root: Path) -> None:
        """Store the record."""
        folder = Workspace(root, self.stack).folder
        folder.mkdir(parents=True, exist_ok=True)
        (root / ".flows").chmod(0o700)
        write_atomically(folder / FILE, json.dumps(asdict(self), indent=2) + "\n")

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        found = asdict(self)
        for inner in ("worker", "claim", "admin_database"):
            del found[inner]
        return found | {"expired": self.expired, "abandoned": self.is_abandoned}


def read(root: Path, stack: str) -> Environment | None:
    """The record of a stack; None where it has none or a crash left a torn one."""
    try:
        return Environment(**json.loads((Workspace(root, stack).folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def every(root: Path) -> Iterator[Environment]:
    """All environments of this working tree, oldest first."""
    stacks = sorted((root / ".flows" / "stacks").glob(f"*/{FILE}"))
    found = [read(root, path.parent.name) for path in stacks]
    yield from sorted((each for each in found if each is not None), key=lambda each: each.created)
