"""The migration guide's way to another server, as it is printed: an embedded stack's rows into containers."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from flowsctl.containers.host import Host
from tests.stack.conftest import Stack, new_stack
from tests.stack.guide import run, section

from .stacks import edition_of, missing_plugins

__all__ = ["new_stack"]
pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker-guide"),
    pytest.mark.skipif(bool(missing_plugins()), reason=missing_plugins()),
]
NAME = f"guide{os.getpid()}"
"""Containers are named after project and stack alone: a name that no other run takes."""


def test_moving_to_another_server(new_stack: Callable[[], Stack], host: Host, image: str, api_image: str) -> None:
    stack = new_stack()
    stack.ctl("up")
    stack.ctl("demo", "load", "--escos", "1", "--meters", "10", "--days", "5", "--until", "2026-05-20T00:00:00+00:00")
    made = (stack.root / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    made = made.replace("flows:edition: apache", f"flows:edition: {edition_of(host, image)}")
    made += f"  flows:image: {image}\n  flows:apiImage: {api_image}\n"
    (stack.root / f"Pulumi.{NAME}.yaml").write_text(made, encoding="utf-8")
    path = {"PATH": f"{stack.root / 'bin'}:{os.environ['PATH']}"}
    try:
        run(section("Moving to another server"), stack.root, path, {"--stack dev": f"--stack {NAME}"})
    finally:
        # The page makes a second database there, whose objects keep the roles from going.
        stack.ctl("psql", "--stack", NAME, "--", "-c", "DROP DATABASE IF EXISTS flows_moved WITH (FORCE)", check=False)
        stack.ctl("destroy", "--yes", "--purge", "--stack", NAME)
