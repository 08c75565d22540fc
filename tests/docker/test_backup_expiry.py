"""Retention by time, with a moved clock: after weeks of backups every moment of the promised days can be restored."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import docker.errors
import pytest

from components.backup_config import BackupSettings
from components.containers import paths
from components.containers.spec import Container
from flowsctl.backup.tool import Kind
from flowsctl.containers.host import Host

from .backups import ARCHIVE_SECONDS, OFTEN, Backups
from .plain import Plain

pytestmark = pytest.mark.skipif(
    not os.environ.get("FLOWS_TEST_MOVED_CLOCK"),
    reason="the server did not start under libfaketime when it was last tried; FLOWS_TEST_MOVED_CLOCK=1 tries it",
)
RETENTION, STEP, STEPS = 14, 2, 20
SETTINGS = BackupSettings(
    archive_timeout=f"{ARCHIVE_SECONDS} seconds",
    retention_days=RETENTION,
    full_every="7 days",
    differential_every=f"{STEP} days",
)
CLOCK = f"{paths.SOCKETS}/clock"
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
MOVED = {
    "LD_PRELOAD": LIBRARY,
    "FAKETIME_TIMESTAMP_FILE": CLOCK,
    "FAKETIME_CACHE_DURATION": "1",
    # Time-outs stay real ones.
    "DONT_FAKE_MONOTONIC": "1",
}


@pytest.fixture(scope="module")
def moved_image(host: Host, image: str) -> str:
    """The image under test with a library that moves the clock of a process."""
    install = "apt-get update -q && apt-get install -y -q --no-install-recommends libfaketime"
    text = f"FROM {image}\nRUN {install}\n".encode()
    try:
        built, _ = host.client.images.build(fileobj=io.BytesIO(text), tag="flows-test/timescaledb:faketime", rm=True)
    except docker.errors.BuildError as error:
        pytest.skip(f"libfaketime cannot be installed from Debian here: {error.msg}")
    return str(built.tags[0])


class Moved(Backups):
    """Backups in containers whose clock is ahead."""

    @property
    def container(self) -> Container:
        made = super().container
        return replace(made, environment={**made.environment, **MOVED})

    def ahead(self, days: int) -> None:
        """Moves the clock of server and scheduler."""
        self.plain.inside("sh", "-c", f"echo +{days}d > {CLOCK}.new && mv {CLOCK}.new {CLOCK}", user="0").checked("")


@pytest.fixture
def backups(fresh: Plain, moved_image: str) -> Iterator[Moved]:
    made = Moved(replace(fresh, image=moved_image), SETTINGS, environment=dict(OFTEN))
    described = made.plain.describe(backup=SETTINGS)
    made.plain.up(replace(described, environment={**described.environment, **MOVED}))
    made.ahead(0)
    made.prepare()
    made.schedule()
    made.until(lambda: " done: " in made.log())
    return made


@pytest.mark.load
def test_the_promised_days_hold_and_older_backups_go(backups: Moved) -> None:
    (first,) = backups.tool.info().backups
    for step in range(1, STEPS + 1):
        before = backups.tool.info().backups[-1].label
        backups.ahead(step * STEP)
        backups.until(lambda label=before: backups.tool.info().backups[-1].label != label)
    found = backups.tool.info().backups
    now = found[-1].finished
    assert now - first.finished > timedelta(days=STEP * STEPS - 2)
    assert first.label not in {each.label for each in found}
    # One full backup is older than the promise, and only one: it is what the oldest promised moment is restored from.
    assert sum(each.kind is Kind.FULL and now - each.finished > timedelta(days=RETENTION) for each in found) == 1
    window = backups.look(thorough=False, now=now).window
    assert window.start is not None
    assert now - window.start >= timedelta(days=RETENTION)
    assert window.gaps == ()
    assert backups.wrong(thorough=False, now=now) == []
    # WAL older than the oldest backup is gone too.
    assert min(each.name for each in backups.tool.archive().segments) == found[0].wal_start
    assert backups.plain.sql("select count(*) from monitoring.backup_ledger")[0][0] <= RETENTION / STEP + 2
