"""The server settings: what Pulumi.yaml declares, which values go together, which engine needs what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.config import ConfigError, StackConfig
from components.server_config import ServerSettings

PROJECT = Path(__file__).parents[2] / "Pulumi.yaml"
DIGEST = "@sha256:" + "0a" * 32


def declared() -> dict[str, Any]:
    return dict(yaml.safe_load(PROJECT.read_text())["config"])


@pytest.mark.parametrize(("key", "entry"), ServerSettings.config_schema().items(), ids=ServerSettings.config_keys())
def test_the_project_file_declares_the_setting(key: str, entry: dict[str, Any]) -> None:
    assert declared()[key] == entry
    assert entry["description"].endswith(".")


def test_the_declared_defaults_are_the_settings_defaults() -> None:
    assert ServerSettings.from_config({key: e.get("default") for key, e in declared().items()}) == ServerSettings()


def test_config_values_come_as_text() -> None:
    found = ServerSettings.from_config({"memory": "2048", "cpus": "1.5", "apiEnabled": "false", "engine": "docker"})
    assert (found.memory, found.cpus, found.api_enabled) == (2048, 1.5, False)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image": "two words"}, "is not an image"),
        ({"image": "name@sha256:abc"}, "is not an image"),
        ({"bindAddress": "localhost"}, "does not appear to be an IPv4 or IPv6 address"),
        ({"databasePort": 70000}, "less than or equal to 65535"),
        ({"memory": 512, "sharedMemory": 1024}, "must not exceed memory"),
        ({"maxBackgroundWorkers": 1}, "greater than or equal"),
        ({"databaseName": "n" * 64}, "63"),
        ({"sslmode": "full"}, "verify-full"),
        ({"host": "db.example.org", "sslmode": "require"}, "does not check whether db.example.org"),
        ({"host": "10.0.0.7", "sslmode": "disable"}, "does not check whether 10.0.0.7"),
    ],
)
def test_wrong_values_are_refused_with_a_reason(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ServerSettings.from_config(values)


@pytest.mark.parametrize(
    ("host", "tls"),
    [
        ("/run/postgresql", "prefer"),
        ("127.0.0.1", "prefer"),
        ("localhost", "prefer"),
        ("db.example.org", "verify-full"),
    ],
)
def test_whatever_is_not_this_machine_is_verified(host: str, tls: str) -> None:
    assert ServerSettings(host=host).tls == tls


def test_images_by_digest_are_pinned() -> None:
    assert ServerSettings(image=f"a/b:1{DIGEST}", api_image=DIGEST[1:]).unpinned() == []
    assert ServerSettings(image=f"a/b{DIGEST}", api_image="c:1").unpinned() == ["c:1"]
    assert ServerSettings(image="a:1", api_image="c:1", api_enabled=False).unpinned() == ["a:1"]


def test_the_external_engine_needs_a_host() -> None:
    with pytest.raises(ConfigError, match="needs flows:host"):
        StackConfig.read({"flows:engine": "external"})
    assert StackConfig.read({"flows:engine": "external", "flows:host": "db"}).server.host == "db"


def test_a_secret_that_is_still_encrypted_is_left_out() -> None:
    read = StackConfig.read({"flows:adminPassword": {"secure": "v1:abc"}})
    assert read.server.admin_password.get_secret_value() == ""


def test_a_wrong_secret_is_not_shown() -> None:
    with pytest.raises(ConfigError) as told:
        StackConfig.read({"flows:adminPassword": ["hush"]})
    assert "hush" not in str(told.value)


def test_an_api_in_a_container_does_not_look_for_its_database_within_itself() -> None:
    local = {"flows:engine": "external", "flows:host": "127.0.0.1"}
    with pytest.raises(ConfigError, match=r"the API's own container.*or set flows:apiEnabled to false"):
        StackConfig.read(local)
    assert StackConfig.read(local | {"flows:apiEnabled": False}).server.host == "127.0.0.1"
    assert StackConfig.read(local | {"flows:host": "172.17.0.1"}).server.tls == "verify-full"
