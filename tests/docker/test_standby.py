"""A hot standby: made from its server, follows it, and survives a restart of either."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from components.containers.pg_hba import REPLICATOR
from components.server_config import ServerSettings

from .plain import PATIENCE, Plain

PART = "replica-1"
LAG = Path(__file__).parents[2] / "sql_templates" / "flows" / "views" / "monitoring_replication_lag.sql.j2"


@pytest.fixture(scope="module")
def pair(plain: Plain) -> Plain:
    plain.server = ServerSettings(replicas=1)
    plain.up()
    plain.sql(
        "CREATE TABLE series (at timestamptz NOT NULL, value int)", "SELECT create_hypertable('series', 'at')"
    )  # fmt: skip
    plain.up(plain.describe(PART))
    return plain


def write(pair: Plain, rows: int) -> None:
    pair.sql(f"INSERT INTO series SELECT now() - make_interval(hours => n), n FROM generate_series(1, {rows}) n")


def follows(pair: Plain) -> float:
    """Seconds until the standby has what its server has now."""
    [(wanted,)] = pair.sql("SELECT count(*) FROM series")
    began = time.monotonic()
    while pair.local("SELECT count(*) FROM series", part=PART) != str(wanted):
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.1)
    return time.monotonic() - began


def test_it_follows_and_its_lag_is_seen(pair: Plain) -> None:
    write(pair, 1000)
    follows(pair)
    assert pair.check(PART).text == "ready"
    columns = "application_name, state, replay_lag_bytes"
    [(name, state, lag)] = pair.sql(f"SELECT {columns} FROM ({LAG.read_text()}) lag")
    assert (name, state) == (PART, "streaming")
    assert lag >= 0
    pair.local("SELECT pg_wal_replay_pause()", part=PART)
    write(pair, 20_000)
    [(_, _, paused)] = pair.sql(f"SELECT {columns} FROM ({LAG.read_text()}) lag")
    assert paused > 1_000_000
    pair.local("SELECT pg_wal_replay_resume()", part=PART)
    follows(pair)


def test_it_takes_no_writes_and_runs_no_jobs(pair: Plain) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        pair.local("INSERT INTO series VALUES (now(), 1)", part=PART)
    schedulers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'TimescaleDB%Scheduler'"
    assert pair.local(schedulers, part=PART) == "0"


def test_its_role_may_replicate_and_nothing_else(pair: Plain) -> None:
    with pytest.raises(Exception, match=r"pg_hba\.conf rejects"):
        pair.connect(REPLICATOR)
    configuration = pair.inside(
        "bash", "-c", "cat /etc/flows/postgresql.conf /var/lib/flows/data/pg/postgresql.auto.conf", part=PART, user="0"
    ).text
    assert "primary_conninfo" in configuration
    assert pair.secrets.password(REPLICATOR) not in configuration


def test_it_survives_a_restart_of_its_own(pair: Plain) -> None:
    pair.host.client.containers.get(pair.names.container(PART)).kill()
    write(pair, 500)
    pair.host.restart(pair.names.container(PART))
    pair.host.healthy(pair.names.container(PART), PATIENCE)
    follows(pair)


def test_it_survives_the_death_of_its_server_and_is_red_meanwhile(pair: Plain) -> None:
    container = pair.host.client.containers.get(pair.name)
    container.kill()
    deadline = time.monotonic() + PATIENCE
    while (done := pair.check(PART)).code == 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert done.text == "not connected to its server"
    assert int(pair.local("SELECT count(*) FROM series", part=PART)) > 0
    container.start()
    pair.host.healthy(pair.name, PATIENCE)
    write(pair, 500)
    follows(pair)


def test_a_kill_while_it_is_copied_leaves_nothing_in_the_way(pair: Plain) -> None:
    described = pair.describe("replica-2")
    pair.host.provide(pair.names, described)
    pair.host.start(described)
    container = pair.host.client.containers.get(described.name)
    deadline = time.monotonic() + 60
    while pair.inside("test", "-s", "/var/lib/flows/data/pg.new/backup_label", part="replica-2", user="0").code:
        if not pair.inside("test", "-d", "/var/lib/flows/data/pg", part="replica-2", user="0").code:
            pytest.skip("the copy was faster than the kill")
        assert time.monotonic() < deadline
    container.kill()
    container.start()
    pair.host.healthy(described.name, PATIENCE)
    states = pair.sql("SELECT application_name, state FROM pg_stat_replication ORDER BY 1")
    assert states == [(PART, "streaming"), ("replica-2", "streaming")]
