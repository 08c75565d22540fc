"""`Pulumi.yaml` declares every setting with the type, default and description that `flows.settings` has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import Settings

PROJECT = Path(__file__).parents[2] / "Pulumi.yaml"


def declared() -> dict[str, Any]:
    return dict(yaml.safe_load(PROJECT.read_text())["config"])


@pytest.mark.parametrize(("key", "entry"), Settings.config_schema().items(), ids=Settings.config_keys())
def test_the_project_file_declares_the_setting(key: str, entry: dict[str, Any]) -> None:
    assert declared()[key] == entry


def test_every_setting_is_described() -> None:
    assert all(entry["description"].endswith(".") for entry in Settings.config_schema().values())


def test_the_declared_defaults_are_the_settings_defaults() -> None:
    assert Settings.from_config({key: entry.get("default") for key, entry in declared().items()}) == Settings()


def test_every_key_but_the_one_that_flowsctl_sets_has_a_default() -> None:
    """The engine refuses a stack that lacks a key without one, and takes no default for a key that is secret there."""
    assert [key for key, entry in declared().items() if "default" not in entry] == ["rootSecret"]
