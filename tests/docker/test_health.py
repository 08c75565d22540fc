"""The health check goes red for each of its reasons, and says which."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from flowsctl.containers.running import Done

from .plain import PATIENCE, Plain


@pytest.fixture(scope="module")
def up(plain: Plain) -> Plain:
    plain.up()
    return plain


@pytest.fixture(autouse=True)
def green(up: Plain) -> None:
    """Each test begins and ends with a server that serves."""
    becomes(up, lambda done: done.code == 0)


def becomes(up: Plain, wanted: Callable[[Done], bool], seconds: float = PATIENCE) -> Done:
    deadline = time.monotonic() + seconds
    while not wanted(done := up.check()):
        assert time.monotonic() < deadline, done.text
        time.sleep(0.2)
    return done


def test_green(up: Plain) -> None:
    assert up.check().text == "ready"


def test_docker_itself_goes_red_and_green_again_with_timescaledb_restoring(up: Plain) -> None:
    up.sql("ALTER DATABASE flows SET timescaledb.restoring = on")
    assert up.check().code == 1
    deadline = time.monotonic() + PATIENCE
    while up.host.health(up.name)[0] != "unhealthy":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert up.host.health(up.name)[1] == "timescaledb.restoring is on: run SELECT timescaledb_post_restore()"
    up.sql("ALTER DATABASE flows RESET timescaledb.restoring")
    up.host.healthy(up.name, PATIENCE)


def test_another_version_of_the_extension_is_given_time_for_its_update_and_then_red(up: Plain) -> None:
    [(version,)] = up.sql("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    change = "UPDATE pg_extension SET extversion = '{}' WHERE extname = 'timescaledb'"
    up.local(change.format("2.0.0"), database="flows")
    try:
        done = up.check(FLOWS_UPDATE_GRACE="0")
        assert done.code == 1
        assert "2.0.0" in done.text
        soon = up.check(FLOWS_UPDATE_GRACE="100000")
        assert soon.code == 0
        assert soon.text.startswith("for now: ")
    finally:
        up.local(f"SET timescaledb.disable_load = on; {change.format(version)}")


def test_no_scheduler(up: Plain) -> None:
    up.sql("SELECT _timescaledb_functions.stop_background_workers()")
    done = becomes(up, lambda done: done.code == 1)
    assert done.text == "TimescaleDB's scheduler does not run: no job does"
    up.sql("SELECT _timescaledb_functions.start_background_workers()")


def test_a_password_that_the_server_does_not_take(up: Plain) -> None:
    up.local("ALTER ROLE tsdbadmin PASSWORD 'another'")
    done = up.check()
    assert done.code == 1
    assert "password authentication failed" in done.text
    up.host.restart(up.name)


def test_a_server_that_hangs(up: Plain) -> None:
    process = up.inside("head", "-1", "/var/lib/flows/data/pg/postmaster.pid").text
    up.inside("kill", "-STOP", process).checked("kill")
    began = time.monotonic()
    done = up.check()
    assert done.code == 1
    assert "timeout expired" in done.text
    assert time.monotonic() - began < 10
    up.inside("kill", "-CONT", process).checked("kill")


def test_a_server_that_takes_no_more_clients(up: Plain) -> None:
    up.local("ALTER DATABASE flows ALLOW_CONNECTIONS false", database="postgres")
    done = up.check()
    assert done.code == 1
    assert "not currently accepting connections" in done.text
    up.local("ALTER DATABASE flows ALLOW_CONNECTIONS true", database="postgres")


def test_in_recovery(up: Plain) -> None:
    up.inside("touch", "/var/lib/flows/data/pg/standby.signal").checked("touch")
    up.host.restart(up.name)
    # Before that it takes no connections, which the server words with "recovery" as well.
    becomes(up, lambda done: done.code == 1 and done.text == "still in recovery")
    up.inside("rm", "/var/lib/flows/data/pg/standby.signal").checked("rm")
    up.host.restart(up.name)
