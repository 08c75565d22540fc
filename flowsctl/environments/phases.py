"""Where the time of making an environment goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowsctl.report import Change

_SERVER, _API, _SEAL = "timescaledb:local:Server", "timescaledb:local:RestApi", "timescaledb:index:Seal"
_OBJECT = "timescaledb:index:"


class Clock:
    """Seconds per phase; together they are the whole time."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measures what happens inside."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._add(name, time.monotonic() - began)

    @contextmanager
    def up(self) -> Iterator[Milestones]:
        """Measures an update, part by part, if its events reach what this gives."""
        passed = Milestones()
        try:
            yield passed
        finally:
            for name, seconds in passed.parts():
                self._add(f"up: {name}", seconds)

    def _add(self, name: str, seconds: float) -> None:
        self.phases[name] = round(seconds, 2)


class Milestones:
    """A report's listener: when the engine came to the server, to the last object, to the API, in that order."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._passed: dict[str, float] = {}

    def __call__(self, what: str, change: Change) -> None:
        if change.type == _SERVER:
            self._pass("engine" if what == "start" else "server")
        elif what == "done" and change.type in (_API, _SEAL):
            self._pass("API process")
        elif what == "done" and change.type.startswith(_OBJECT):
            self._pass("objects")

    def _pass(self, name: str) -> None:
        self._passed[name] = time.monotonic()

    def parts(self) -> Iterator[tuple[str, float]]:
        """(part, seconds): engine is what runs before the first resource (Pulumi commands, program, plugin), end what
        runs after the last (state, Pulumi command)."""
        before = self._began
        for name in ("engine", "server", "objects", "API process"):
            if name in self._passed:
                yield name, max(0.0, self._passed[name] - before)
                before = max(before, self._passed[name])
        yield "end", time.monotonic() - before
