"""Runs a scenario again and again, killing something each time, and looks whether all is well."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from pulumi_timescaledb.whole import Whole

from . import checks
from .engine import Broken, Engine, Plugin, restored
from .proxy import Moment, Point, Proxy
from .scenarios import Scenario
from .servers import KillableServer, scratch

VICTIMS = ("provider", "engine", "server", "connection")
"""What dies: the plugin; the engine, with the answers on their way to it; every process of the server; every
connection between the two."""
MOMENTS: tuple[Moment, ...] = ("before", "during", "after")
LONGEST_DELAY = 0.05
"""Seconds into a statement; most take less, some more."""


@dataclass(frozen=True)
class Kill:
    """One point."""

    victim: str
    point: Point

    def __str__(self) -> str:
        return f"{self.victim} {self.point.moment} statement {self.point.statement} (+{self.point.delay * 1000:.0f} ms)"


@dataclass
class Base:
    """A scenario's starting point, kept stopped, and what an undisturbed run does from there."""

    scenario: Scenario
    server: KillableServer
    state: str
    blank: checks.Keys
    """What a new server shows."""
    accepted: checks.Keys
    """That, and what appears by itself (PUBLIC's rights in a schema)."""
    rows: dict[str, tuple[int, str]]
    columns: dict[str, list[str]]
    statements: int = 0
    wanted: checks.Keys = frozenset()
    history: list[checks.Entry] = field(default_factory=list)


@dataclass
class Result:
    """What one chain of kills showed."""

    kills: list[Kill] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Field:
    """One copy of a base, with its proxy and the engine that works on it."""

    def __init__(self, base: Base, folder: Path) -> None:
        self.base = base
        self.server = base.server.copy(folder / "server")
        self.server.start()
        self.proxy = Proxy(self.server.socket, self.server.port)
        self.history = folder / "history.jsonl"
        self.state = base.state
        self.engine: Engine | None = None

    def settings(self) -> dict[str, Any]:
        """Of the provider, which only knows the proxy."""
        return {
            **self.server.settings(self.proxy.folder),
            "disposable": "true",
            "historyFile": str(self.history),
        }

    def begin(self) -> Engine:
        """A new run: another plugin, the state as it was last written."""
        self.engine = Engine(Plugin(self.settings()), state=restored(self.state))
        return self.engine

    def finish(self) -> None:
        """The run is over, however it ended: its state is what is written, its plugin is gone."""
        assert self.engine is not None
        self.state = self.engine.saved()
        self.engine.plugin.end()
        self.engine = None
        self.server.start()

    def operate(self, engine: Engine) -> None:
        """What the scenario does."""
        after = self.base.scenario.after
        if after is None:
            engine.destroy()
        else:
            engine.up(after)

    def strike(self, kill: Kill) -> None:
        """Kills."""
        assert self.engine is not None
        if kill.victim in ("provider", "engine"):
            self.engine.lossy = kill.victim == "engine"
            self.engine.plugin.kill()
        elif kill.victim == "server":
            self.server.kill()
        self.proxy.cut()

    def close(self) -> None:
        """Nothing of it stays."""
        if self.engine is not None:
            self.engine.plugin.end()
        self.proxy.close()
        self.server.remove()


@contextlib.contextmanager
def field_of(base: Base, folder: Path) -> Iterator[Field]:
    """A field that is cleared away at the end."""
    made = Field(base, folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def declared(whole: Whole | None) -> checks.Keys:
    """The objects of a picture; none where there is none."""
    return frozenset((spec.KIND, spec.import_id()) for spec in (whole.specs.values() if whole else ()))


def prepare(scenario: Scenario, folder: Path) -> Base:
    """Makes the starting point, and one undisturbed run on a copy of it."""
    server = scenario.make(folder / "base")
    blank = checks.live(checks.seen(server))
    rows, columns, state = {}, {}, "[]"
    if scenario.before is not None:
        engine = Engine(Plugin({**server.settings(server.socket.parent), "disposable": "true"}))
        engine.up(scenario.before)
        state = engine.saved()
        engine.plugin.end()
        with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
            scenario.load(connection)
        columns = checks.columns(server, scenario.before.specs.values())
        rows = checks.contents(server, columns)
    ours = declared(scenario.before) | declared(scenario.after)
    accepted = blank | checks.live(checks.seen(server)) - ours
    server.stop()
    base = Base(scenario, server, state, blank, accepted, rows, columns)
    with field_of(base, folder / "undisturbed") as field_:
        engine = field_.begin()
        field_.proxy.arm(Point(10**9, "before"), lambda: None)
        field_.operate(engine)
        base.statements = field_.proxy.statements
        field_.finish()
        base.wanted = checks.live(checks.seen(field_.server))
        base.accepted |= base.wanted - ours
        if scenario.after is not None:
            base.history = checks.history(field_.server)
    return base


def chain(base: Base, seed: str, kills: int, folder: Path) -> Result:
    """One run from the start, struck up to `kills` times and started again each time; then everything must be well."""
    chance = random.Random(seed)
    began = time.monotonic()
    result = Result()
    with field_of(base, folder) as field_:
        for _ in range(kills):
            kill = _chosen(chance, base.statements, kills)
            engine = field_.begin()
            field_.proxy.arm(kill.point, lambda kill=kill: field_.strike(kill))  # type: ignore[misc]
            said = ""
            try:
                field_.operate(engine)
            except Broken as broken:
                said = str(broken)
            missed = field_.proxy.disarm()
            field_.finish()
            if missed:
                if said:
                    result.faults.append(f"the run after {_told(result.kills)} failed: {said}")
                break
            result.kills.append(kill)
            result.faults += [f"after {kill}: {fault}" for fault in _sound(field_)]
        result.faults += _converged(field_)
    result.seconds = time.monotonic() - began
    return result


def _chosen(chance: random.Random, statements: int, kills: int) -> Kill:
    """A point of the run. What is left of it shrinks with each kill, so the steps are shares of the whole."""
    step = max(2, 2 * statements // (kills + 1))
    moment = chance.choice(MOMENTS)
    delay = chance.uniform(0, LONGEST_DELAY) if moment == "during" else 0.0
    return Kill(chance.choice(VICTIMS), Point(chance.randint(1, step), moment, delay))


def _told(kills: list[Kill]) -> str:
    return str(kills[-1]) if kills else "no kill"


def _sound(field_: Field) -> list[str]:
    """Right after a kill: what the server shows is what the ledger says."""
    return checks.half_done(checks.seen(field_.server), field_.base.accepted)


def _converged(field_: Field) -> list[str]:
    """The run, undisturbed, ends well; then nothing is left to do, doubled or lost."""
    base, scenario = field_.base, field_.base.scenario
    try:
        field_.operate(field_.begin())
    except Broken as broken:
        return [f"it does not converge: {broken}"]
    finally:
        field_.finish()
    snapshot = checks.seen(field_.server)
    if scenario.after is None:
        left = sorted(checks.live(snapshot) - base.blank)
        faults = [f"{' '.join(key)} is left after destroy" for key in left]
        faults += [f"the state still has {key}" for key in restored(field_.state)]
        return [*faults, *checks.exported_faults(field_.history, declared(scenario.before))]
    faults = checks.unlike(snapshot, scenario.after, base.wanted)
    faults += checks.history_faults(checks.history(field_.server), base.history)
    for name, found in checks.contents(field_.server, base.columns).items():
        if found != base.rows[name]:
            faults.append(f"{name}: {base.rows[name]} rows and checksum were there, now {found}")
    try:
        faults += [f"the second preview is not empty: {each}" for each in field_.begin().preview(scenario.after)]
    except Broken as broken:
        faults.append(f"the second preview fails: {broken}")
    finally:
        field_.finish()
    return faults + [f"still open: {each}" for each in checks.idle_transactions(field_.server)]


def run(
    scenario: Scenario, seed: int, points: int, kills: int, only: int | None = None
) -> Iterator[tuple[int, Result]]:
    """Chains of a scenario until `points` kills have been made; (number, result) of each."""
    folder = scratch()
    base = None
    try:
        base = prepare(scenario, folder)
        made, number = 0, only if only is not None else 0
        while made < points:
            result = chain(base, f"{seed}:{scenario.name}:{number}", kills, folder / f"chain-{number}")
            made += max(1, len(result.kills))
            yield number, result
            number += 1
            if only is not None:
                return
    finally:
        if base is not None:
            base.server.remove()
        shutil.rmtree(folder, ignore_errors=True)
