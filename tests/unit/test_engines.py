"""What follows from the engine before anything runs: declarations, connections, plugins, warnings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components import access, place
from components.config import StackConfig
from components.declared import declared
from components.secrets import StackSecrets
from flowsctl import plugins, restarts
from flowsctl.errors import FlowsError
from pulumi_timescaledb.capabilities import EMBEDDED
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_settings import RoleSettings

SECRETS = StackSecrets("0" * 64)
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def config(**values: Any) -> StackConfig:
    return StackConfig.read({f"flows:{key}": value for key, value in values.items()})


def test_roles_are_ours_on_the_embedded_engine_only() -> None:
    embedded, docker = declared(config(), SECRETS), declared(config(engine="docker"), SECRETS)
    assert embedded.of_kind("Role")
    assert not embedded.of_kind("RoleSettings")
    assert not docker.of_kind("Role")
    assert not docker.of_kind("RoleMembership")
    reader = docker.get("RoleSettings", "grafanareader")
    assert isinstance(reader, RoleSettings)
    assert reader.settings == {"default_transaction_read_only": "on"}  # the time-out is pulumi-postgresql's
    rest = {kind: len(embedded.of_kind(kind)) for kind in ("Table", "View", "Grant", "Function")}
    assert rest == {kind: len(docker.of_kind(kind)) for kind in rest}


def test_a_setting_that_would_have_no_effect_is_refused() -> None:
    """SET ROLE reads no settings of a database, and PostgREST none of them either."""
    with pytest.raises(ValueError, match="work_mem would have no effect"):
        list(access.in_database([Role(name="api", settings={"work_mem": "8MB", "statement_timeout": "1s"})]))


def test_timeouts_are_milliseconds() -> None:
    role = Role(name="r", settings={"statement_timeout": "30000ms"})
    assert access.milliseconds(role, "statement_timeout") == 30_000
    assert access.milliseconds(role, "idle_in_transaction_session_timeout") is None
    with pytest.raises(ValueError, match="must be written in milliseconds"):
        access.milliseconds(Role(name="r", settings={"statement_timeout": "30s"}), "statement_timeout")


def test_every_value_of_a_docker_connection_is_known_before_the_run(tmp_path: Path) -> None:
    found = place.connection(config(engine="docker", databasePort=25432, edition="apache"), tmp_path, "dev", SECRETS)
    assert (found.host, found.port, found.database, found.user) == ("127.0.0.1", 25432, "flows", "tsdbadmin")
    assert found.password == SECRETS.password("tsdbadmin")
    assert found.password not in repr(found)
    assert not found.expected().community
    assert ConnectionSettings(embedded_folder=str(tmp_path)).expected() == EMBEDDED


def test_the_ca_of_an_external_server_is_text_or_file_or_the_systems(tmp_path: Path) -> None:
    def certificate(**values: Any) -> str:
        stack = config(engine="external", host="db.example.org", adminPassword="x", **values)
        return place.connection(stack, tmp_path, "prod", SECRETS).sslrootcert

    assert certificate() == "system"
    assert certificate(sslrootcert="ca/prod.pem") == str(tmp_path / "ca" / "prod.pem")
    written = Path(certificate(sslrootcert=PEM))
    assert written.read_text() == PEM + "\n"
    assert written.is_relative_to(tmp_path / ".flows")


def test_a_stack_that_keeps_its_data_should_pin_its_images() -> None:
    digest = "@sha256:" + "0a" * 32
    assert [each.split()[1] for each in config(engine="docker", image="a:1", apiImage="b:1").warnings()] == [
        "a:1",
        "b:1",
    ]
    assert config(engine="docker", image=f"a{digest}", apiImage=f"b{digest}").warnings() == []
    assert config(engine="docker", disposable=True).warnings() == []
    assert config().warnings() == []


@dataclass(frozen=True)
class Command:
    command: str


def test_a_plugin_that_cannot_be_had_is_said_with_the_way_out(tmp_path: Path) -> None:
    failing = tmp_path / "pulumi"
    failing.write_text('#!/bin/sh\necho "$@" > "$PULUMI_HOME/asked"\necho no network >&2\nexit 1\n')
    failing.chmod(0o755)
    environment = {"PULUMI_HOME": str(tmp_path)}
    with pytest.raises(FlowsError, match=r"plugin docker .* cannot be downloaded: no network") as told:
        plugins.ensure("docker", Command(str(failing)), environment)  # type: ignore[arg-type]
    assert "--file THAT_FILE" in told.value.hint
    assert (tmp_path / "asked").read_text().startswith("--non-interactive plugin install resource docker ")
    plugins.ensure("embedded", Command(str(failing)), environment)  # type: ignore[arg-type]


def test_a_plugin_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    for name in plugins.NEEDED["docker"]:
        (tmp_path / "plugins" / f"resource-{name}-v{plugins.version(f'pulumi-{name}')}").mkdir(parents=True)
    plugins.ensure("docker", Command("/nowhere"), {"PULUMI_HOME": str(tmp_path)})  # type: ignore[arg-type]


def test_a_replaced_container_says_what_restarts() -> None:
    (line,) = restarts.hazard(restarts.CONTAINER, "database-server", "replace")
    assert line.startswith("-- restart: the database restarts")
    assert restarts.hazard(restarts.CONTAINER, "replica-2", "replace")
    assert restarts.hazard(restarts.CONTAINER, "database-server", "create") == []
    assert restarts.hazard("timescaledb:index:Table", "database-server", "replace") == []
