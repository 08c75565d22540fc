"""The CI files call flowsctl: every such call names commands and options that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from flowsctl.main import app
from flowsctl.workspace import load_yaml, repository

FILES = [*sorted((repository() / ".github" / "workflows").glob("*.yml")), repository() / ".gitlab-ci.yml"]


def scripts(value: object) -> list[str]:
    """Every text under `run`, `script` or `before_script`, wherever it stands."""
    if isinstance(value, dict):
        own = [value[key] for key in ("run", "script", "before_script") if key in value]
        texts = [text for each in own for text in (each if isinstance(each, list) else [each])]
        return texts + [text for each in value.values() for text in scripts(each)]
    if isinstance(value, list):
        return [text for each in value for text in scripts(each)]
    return []


def calls(path: Path) -> list[list[str]]:
    """Arguments of every flowsctl call of a file."""
    lines = [line for text in scripts(load_yaml(path.read_text())) for line in str(text).splitlines()]
    found = [match[1] for line in lines if (match := re.search(r"bin/flowsctl (.*?)(?: (?:\|\||>>|&&) |$)", line))]
    return [shlex.split(each) for each in found]


CALLS = [pytest.param(call, id=f"{path.name}: {' '.join(call[:2])}") for path in FILES for call in calls(path)]


def test_there_are_calls() -> None:
    assert len(CALLS) >= 10


@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_one_that_exists(call: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.json").touch()  # what an earlier job left
    command = typer.main.get_command(app)
    context = command.make_context("flowsctl", list(call), resilient_parsing=True)
    words = list(call)
    while hasattr(command, "get_command"):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        command, context = found, found.context_class(found, parent=context, info_name=name)
    command.parse_args(context, words)  # refuses unknown options and missing arguments
