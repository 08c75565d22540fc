"""Plain `pulumi`, without flowsctl, is the same program with the same state. Needs Pulumi's Python language host, which
comes with the official CLI and is not part of a build from its Go module."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flowsctl.pulumi_cli import find
from flowsctl.workspace import repository

from .conftest import Stack

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(
        shutil.which("pulumi-language-python") is None,
        reason="no Python language host on PATH (it comes with the official Pulumi CLI)",
    ),
]


def test_plain_preview_and_up_find_nothing_to_do(stack: Stack) -> None:
    cli = find(repository())
    assert cli is not None
    folder = stack.root / ".flows" / "stacks" / "local"
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": (stack.root / ".flows" / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PATH": os.pathsep.join([str(Path(cli.path).parent), os.environ["PATH"]]),
    }
    for verb in (["preview"], ["up", "--yes"]):
        command = [str(cli.path), *verb, "--stack", "local", "--cwd", str(folder), "--non-interactive"]
        done = subprocess.run(
            [*command, "--expect-no-changes"], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "unchanged" in done.stdout
