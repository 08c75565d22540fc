"""Every command of docs/backup.md is run: those in blocks "sh backup" here, against containers without Pulumi."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL, Names
from flowsctl.containers.host import Host
from flowsctl.tree import copy_of_tree

from .backups import QUICK, Backups
from .plain import Plain

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "backup.md"
BLOCK = re.compile(r"^```sh backup\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]


class Page:
    """A clone whose stack is described as of engine docker, with running containers of that name."""

    def __init__(self, root: Path, stack: str, backups: Backups) -> None:
        self.root, self.stack, self.backups = root, stack, backups

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = line.split()
        assert program == "flowsctl", f"the page has a command that no test can run: {line}"
        command = [self.root / "bin" / "flowsctl", *arguments, "--stack", self.stack]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def page(host: Host, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    stack = f"page{uuid.uuid4().hex[:8]}"
    root = copy_of_tree(ROOT, tmp_path_factory.mktemp("clone"))
    config = f"flows:engine: docker\n  flows:backupArchiveTimeout: {QUICK.archive_timeout}"
    (root / f"Pulumi.{stack}.yaml").write_text(f"config:\n  {config}\n")
    backups = Backups(Plain(host, Names("flows", stack), image))
    try:
        backups.up()
        backups.schedule()
        backups.until(lambda: " done: " in backups.log())
        yield Page(root, stack, backups)
    finally:
        host.remove({PROJECT_LABEL: "flows", STACK_LABEL: stack})


def test_the_page_has_commands() -> None:
    assert {line.split()[2] for line in COMMANDS} == {"list", "run", "check", "verify"}


@pytest.mark.parametrize("line", COMMANDS)
def test_command_of_the_page(page: Page, line: str) -> None:
    done = page.run(line)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout


def test_their_json(page: Page) -> None:
    listed = json.loads(page.run("flowsctl backup list --json").stdout)
    assert listed["backups"][0]["kind"] == "full"
    assert listed["window"]["gaps"] == []
    assert json.loads(page.run("flowsctl backup verify --json").stdout)["ok"]


def test_a_fault_ends_with_2_and_a_missing_daemon_with_1(page: Page) -> None:
    page.backups.unschedule()
    found = page.run("flowsctl backup check --json")
    assert found.returncode == 2
    assert [each["reason"] for each in json.loads(found.stdout)["findings"]] == ["scheduler"]
    nowhere = page.run("flowsctl backup check --config flows:dockerHost=unix:///nowhere.sock")
    assert nowhere.returncode == 1
    assert "no Docker daemon answers at" in nowhere.stderr


@pytest.mark.parametrize(("engine", "words"), [("embedded", "embedded engine"), ("external", "not ours")])
def test_engines_without_backups_say_so(page: Page, engine: str, words: str) -> None:
    done = page.run(f"flowsctl backup list --config flows:engine={engine} --config flows:host=db.example.org")
    assert done.returncode == 1
    assert words in done.stderr
