"""Four bad days of docs/backup.md, with the commands that stand there. What Pulumi does (`flowsctl up`) is done here by
the containers' own descriptions; how flowsctl finds a stack's secrets is put in its place."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from components.containers.database import database
from components.containers.scheduler import scheduler
from flowsctl.main import app
from flowsctl.options import Options

from .plain import IMAGE, PATIENCE, TABLES, Plain

pytestmark = pytest.mark.docker
PAGE = Path(__file__).resolve().parents[3] / "docs" / "backup.md"
BLOCKS = dict(re.findall(r"^```sh restore (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S))
MOMENT = "2026-11-26T09:30:00Z"
SUMS = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM flows.{} t"
NAMES = {"flows.meter_csq": "flows.csq", "flows.meter_registry": "flows.meters", "debian:trixie-slim": IMAGE}


class Day:
    """A bad day of a stack."""

    def __init__(self, origin: Plain, folder: Path) -> None:
        self.origin, self.folder = origin, folder
        self.up: Callable[[], None] = self.containers

    def containers(self) -> None:
        """What `up` makes again: containers and volumes that are missing, with the labels of their parts."""
        plain, names = self.origin, self.origin.names
        plain.host.network(names.network, names.labels("network"))
        for part in ("data", "backup", "run"):
            plain.host.volume(names.volume(part), names.labels(part))
        o = plain.origin
        for container in (
            database(names, IMAGE, o.server, o.secrets, o.backup),
            scheduler(names, IMAGE, o.server.database_name, o.secrets, o.backup),
        ):
            if plain.host.health(container.name)[0] == "missing":
                plain.host.start(container)
            plain.host.healthy(container.name, PATIENCE)

    def follow(self, block: str, moment: str = "") -> None:
        """Runs every command of a block of the page."""
        for line in BLOCKS[block].splitlines():
            for there, here in {MOMENT: moment, "flows-dev-": f"{self.origin.names.prefix}-", **NAMES}.items():
                line = line.replace(there, here)
            self.run(shlex.split(line))

    def run(self, command: list[str]) -> None:
        if command[0] == "docker":
            names = {"flows.project=flows": self.origin.names.project, "flows.stack=dev": self.origin.names.stack}
            words = [f"{word.split('=')[0]}={names[word]}" if word in names else word for word in command]
            words = [word.replace(".:/out", f"{self.folder}:/out") for word in words]
            subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE)
        elif command[1:2] == ["up"]:
            self.up()
        elif command[1:3] == ["backup", "run"]:
            self.origin.backup()
        else:
            done = CliRunner().invoke(app, command[1:], obj=Options())
            assert done.exit_code == 0, f"{command}: {done.output}\n{done.exception!r}"


@pytest.fixture
def day(origin: Plain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Day:
    def reach(_options: Options) -> tuple[dict[str, Any], Any]:
        return origin.conninfo(), None

    monkeypatch.setattr("flowsctl.restoring.origin.origin_of", lambda _options: origin.origin)
    monkeypatch.setattr("flowsctl.live.reach", reach)
    project = SimpleNamespace(project_name=origin.names.project)
    config = SimpleNamespace(server=origin.origin.server)
    monkeypatch.setattr("flowsctl.session.read_config", lambda _options: (project, config))
    return Day(origin, tmp_path)


def moment_of(origin: Plain) -> str:
    found: str = origin.sql("SELECT clock_timestamp()")[0][0].isoformat()
    time.sleep(0.2)
    return found


def test_the_page_has_four_bad_days() -> None:
    assert set(BLOCKS) == {
        "dropped-table", "wrong-update", "dead-disk", "lost-host", "repository-out", "repository-in",
    }  # fmt: skip


def test_a_dropped_table(day: Day) -> None:
    origin = day.origin
    before, moment = origin.sql(SUMS.format("csq")), moment_of(origin)
    origin.sql("DROP TABLE flows.csq CASCADE")
    origin.archived()

    def made_again() -> None:
        for statement in TABLES.strip().split(";\n"):
            if "flows.csq (" in statement or "'flows.csq'" in statement:
                origin.sql(statement)

    day.up = made_again
    day.follow("dropped-table", moment)
    assert origin.sql(SUMS.format("csq")) == before


def test_a_wrong_update(day: Day) -> None:
    origin = day.origin
    before, moment = origin.sql(SUMS.format("meters")), moment_of(origin)
    origin.sql("UPDATE flows.meters SET name = 'wrong', updated_at = now()")
    origin.archived()
    day.follow("wrong-update", moment)
    assert origin.sql(SUMS.format("meters")) == before


def lose(origin: Plain, *volumes: str) -> None:
    """The stack's containers are gone, and these volumes."""
    for part in ("scheduler", "database"):
        origin.host.client.containers.get(origin.names.container(part)).remove(force=True)
    for part in volumes:
        origin.host.client.volumes.get(origin.names.volume(part)).remove(force=True)


def as_before(origin: Plain, before: list[tuple[Any, ...]]) -> None:
    """The stack is whole: rows, archive, jobs' workers, passwords."""
    assert origin.sql(SUMS.format("csq")) == before
    assert origin.sql("SELECT current_setting('archive_mode'), pg_is_in_recovery()") == [("on", False)]
    assert origin.sql("SELECT current_setting('timescaledb.max_background_workers')") == [("4",)]
    origin.sql("INSERT INTO flows.csq VALUES (clock_timestamp(), 3, 3)")
    origin.archived()
    assert origin.tool.info().backups[-1].annotations


def test_a_dead_disk(day: Day) -> None:
    origin = day.origin
    origin.archived()
    before = origin.sql(SUMS.format("csq"))
    origin.archived()
    lose(origin, "data", "run")
    day.follow("dead-disk")
    as_before(origin, before)


def test_a_lost_host(day: Day) -> None:
    origin = day.origin
    origin.archived()
    before = origin.sql(SUMS.format("csq"))
    origin.archived()
    day.follow("repository-out")
    lose(origin, "data", "run", "backup")
    origin.host.client.networks.get(origin.names.network).remove()
    day.follow("repository-in")
    day.follow("lost-host")
    as_before(origin, before)
