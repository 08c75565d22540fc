"""The database's container: made once, in order, and its secrets stay inside."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import psycopg
import pytest

from components.containers.database import ADMIN
from components.secrets import StackSecrets
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError

from .plain import PATIENCE, Plain, of_image


@pytest.fixture(scope="module")
def up(plain: Plain) -> Plain:
    plain.up()
    return plain


def test_it_answers_over_tcp_with_what_is_configured(up: Plain) -> None:
    assert up.sql("SELECT current_database(), current_setting('server_version_num')::int / 10000") == [("flows", 17)]
    found = dict(up.sql("SELECT name, setting FROM pg_settings"))
    assert found["shared_buffers"] == str(up.server.memory * 1024 // 4 // 8)
    assert found["max_connections"] == str(up.server.max_connections)
    assert found["data_checksums"] == "on"
    assert found["fsync"] == found["full_page_writes"] == found["synchronous_commit"] == "on"
    assert up.sql("SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == [(0,)]


def test_passwords_are_kept_as_scram_and_asked_for_on_every_tcp_connection(up: Plain) -> None:
    kept = up.sql("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL")
    assert kept == [(ADMIN, up.secrets.scram_verifier(ADMIN))]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        up.connect(password="wrong")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        up.connect("postgres", "anything")
    with up.connect() as connection:
        assert connection.pgconn.used_password


def test_the_socket_is_for_the_superuser_of_the_container_alone(up: Plain) -> None:
    assert up.local("SELECT current_user") == "postgres"
    socket = ("psql", "-XAtqw", "-h", "/var/lib/flows/run", "-d", "flows", "-c", "SELECT 1")
    assert "no pg_hba.conf entry" in up.inside(*socket, "-U", ADMIN).complaint
    assert "Peer authentication failed" in up.inside(*socket, "-U", "postgres", user="0").complaint


def test_no_secret_is_seen_from_outside_or_by_another_user_inside(up: Plain) -> None:
    secrets = {up.secrets.root, up.secrets.password(ADMIN), up.secrets.scram_verifier(ADMIN)}
    container = up.host.client.containers.get(up.name)
    seen = {
        "docker inspect": json.dumps(container.attrs) + json.dumps(up.host.client.images.get(up.image).attrs),
        "docker logs": container.logs().decode(),
        "docker top": json.dumps(container.top(ps_args="auxeww")),
        # What another user of the container can read wherever it writes or is given files.
        "files": up.inside(
            "bash", "-c", "find /etc/flows /run /var/lib/flows /tmp /var/log -type f -readable -exec cat {} + 2>&1",
            user="nobody",
        ).text,
    }  # fmt: skip
    assert "postgresql.conf" in seen["docker top"]
    assert "data_directory" in seen["files"]
    for place, text in seen.items():
        assert not [secret for secret in secrets if secret in text], place
    modes = up.inside("bash", "-c", "stat -c '%a %U %n' /run/flows /run/flows/* /etc/flows/pgpass", user="0").text
    assert {line.split()[0] for line in modes.splitlines()} == {"700", "600"}


def test_a_role_made_with_its_password_in_clear_leaves_no_trace(up: Plain) -> None:
    clear = "4f3c-in-clear"
    up.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    up.sql(f"CREATE ROLE one LOGIN PASSWORD '{clear}'")
    with pytest.raises(psycopg.errors.DuplicateObject):
        up.sql(f"CREATE ROLE one LOGIN PASSWORD '{clear}'")
    assert "already exists" in up.host.logs(up.name)
    assert clear not in up.host.logs(up.name, 1000)
    assert up.sql(f"SELECT query FROM pg_stat_statements WHERE query LIKE '%{clear[:6]}' || '{clear[6:]}%'") == []


def test_a_stop_with_clients_is_fast_and_in_order_and_a_restart_keeps_the_data(up: Plain) -> None:
    up.sql("CREATE TABLE kept (a int)", "INSERT INTO kept SELECT generate_series(1, 1000)")
    with up.connect() as idle:
        idle.execute("SELECT 1")
        began = time.monotonic()
        up.host.stop(up.name)
        took = time.monotonic() - began
    assert took < 30
    said = up.host.logs(up.name)
    assert "received fast shutdown request" in said
    assert "database system is shut down" in said
    assert up.host.health(up.name) == ("exited", "exit code 0")
    up.host.restart(up.name)
    up.host.healthy(up.name, PATIENCE)
    assert "database system was not properly shut down" not in up.host.logs(up.name, 40)
    assert up.sql("SELECT count(*) FROM kept") == [(1000,)]


def test_a_changed_root_secret_changes_the_passwords_of_the_same_cluster(up: Plain) -> None:
    before, after = up.secrets, StackSecrets("f" * 32)
    identity = up.sql("SELECT system_identifier FROM pg_control_system()")
    up.secrets = after
    up.replace(up.describe())
    assert up.sql("SELECT system_identifier FROM pg_control_system()") == identity
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        up.connect(password=before.password(ADMIN))


def test_a_second_server_on_the_same_volume_is_refused(up: Plain) -> None:
    second = replace(up.describe(), name=up.names.container("second"), port=None, restart="no")
    second = replace(second, command=("/bin/bash", "-c", f"sed -i 's/--wait 60/--wait 1/' {second.command[1]}; exec \"$0\" \"$@\"", *second.command))  # fmt: skip # noqa: E501
    up.host.start(second)
    with pytest.raises(FlowsError) as refused:
        up.host.healthy(second.name, 60)
    assert "another container runs a server on this volume" in refused.value.hint
    assert up.sql("SELECT 1") == [(1,)]


def test_an_image_without_timescaledb_or_postgresql_says_so(fresh: Plain, base: str) -> None:
    described = of_image(fresh.describe(), base)
    fresh.host.provide(fresh.names, described)
    fresh.host.start(described)
    with pytest.raises(FlowsError) as refused:
        fresh.host.healthy(described.name, 60)
    assert "this image has no PostgreSQL 17" in refused.value.hint
    fresh.host.client.containers.get(described.name).remove(force=True)

    library = '"$(/usr/lib/postgresql/17/bin/pg_config --pkglibdir)"/timescaledb.so'
    without = replace(
        fresh.describe(), command=("/bin/bash", "-c", f'rm {library}; exec "$0" "$@"', *described.command)
    )
    fresh.host.start(without)
    with pytest.raises(FlowsError) as refused:
        fresh.host.healthy(without.name, 60)
    assert "this image has no TimescaleDB for PostgreSQL 17; build one with: make image" in refused.value.hint


def test_an_image_that_cannot_be_had_says_how_to_build_one(fresh: Plain, host: Host) -> None:
    described = of_image(fresh.describe(), "flows/no-such-image:1")
    fresh.host.provide(fresh.names, described)
    with pytest.raises(FlowsError) as refused:
        host.start(described)
    assert "make image" in refused.value.hint
    assert host.health(described.name) == ("missing", "")


def test_a_kill_while_the_cluster_is_made_leaves_nothing_in_the_way(fresh: Plain) -> None:
    described = replace(fresh.describe(), restart="no")
    fresh.host.provide(fresh.names, described)
    fresh.host.start(described)
    container = fresh.host.client.containers.get(described.name)
    chance = random.Random(5)
    cut = 0
    for _ in range(6):
        deadline = time.monotonic() + 60
        while fresh.inside("test", "-d", "/var/lib/flows/data/pg.new", user="0").code and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(chance.uniform(0, 1.2))
        container.kill()
        container.start()
        cut += fresh.inside("test", "-d", "/var/lib/flows/data/pg", user="0").code
    assert cut >= 3, "the kills came too late to cut anything"
    fresh.host.healthy(described.name, PATIENCE)
    fresh.sql("CREATE EXTENSION timescaledb", "CREATE TABLE a (b int)")
    assert fresh.inside("test", "-e", "/var/lib/flows/data/pg.new").code == 1
