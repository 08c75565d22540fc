"""Stacks of the docker engine for tests: a copy of the working tree, a name that no other run has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from components.containers.names import PROJECT_LABEL, STACK_LABEL, Names
from flowsctl import plugins, pulumi_cli
from flowsctl.containers.host import Host
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import dump_yaml, repository

from ..stack.conftest import HIDDEN, Stack

PROJECT = "flows"
COMMUNITY_LIBRARY = "ls /usr/lib/postgresql/17/lib/timescaledb-tsl-*.so"


def missing_plugins(engine: str = "docker") -> str:
    """Why no stack of this engine can be brought up; "" where it can."""
    absent = [
        f"{name} {version(f'pulumi-{name}')}"
        for name in plugins.NEEDED[engine]
        if not plugins.is_installed(name, version(f"pulumi-{name}"), os.environ)
    ]
    return f"Pulumi's plugins {', '.join(absent)} are not installed (pulumi plugin install resource)" if absent else ""


def edition_of(host: Host, image: str) -> str:
    """Which edition of TimescaleDB an image has: Debian's own is Apache."""
    import docker.errors

    try:
        host.client.containers.run(image, ["-c", COMMUNITY_LIBRARY], entrypoint="/bin/sh", remove=True)
    except docker.errors.ContainerError:
        return "apache"
    return "community"


class DockerStack(Stack):
    """A stack of its own name, on the docker engine or an external server."""

    longest = 1500.0

    def __init__(self, root: Path, name: str, host: Host) -> None:
        super().__init__(root)
        self.name, self.host = name, host
        self.names = Names(PROJECT, name)

    def configure(self, values: Mapping[str, Any]) -> None:
        """Write the committed stack file."""
        config = {f"{PROJECT}:{key}": value for key, value in values.items()}
        (self.root / f"Pulumi.{self.name}.yaml").write_text(dump_yaml({"config": config}))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return super().start(*arguments, "--stack", self.name)

    def counts(self, verb: str, *arguments: str) -> dict[str, int]:
        """How many resources a run changed, by kind of change; those without any are left out."""
        found = self.json(verb, *arguments)["counts"]
        return {op: number for op, number in found.items() if number and op != "same"}

    def things(self) -> list[tuple[str, str]]:
        """Containers, volumes and networks that carry the stack's labels."""
        return sorted(self.host.found({PROJECT_LABEL: PROJECT, STACK_LABEL: self.name}))

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The Pulumi command itself, which knows nothing of flowsctl's manners."""
        cli = pulumi_cli.find(repository())
        assert cli is not None
        folder = self.root / ".flows" / "stacks" / self.name
        environment = {key: value for key, value in os.environ.items() if key not in HIDDEN} | {
            "PULUMI_BACKEND_URL": (self.root / ".flows" / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        command = [cli.path, *arguments, "--stack", self.name, "--non-interactive"]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def urn(self, kind: str, name: str) -> str:
        """The URN of a resource that has no parent."""
        return f"urn:pulumi:{self.name}::{PROJECT}::{kind}::{name}"

    def state(self) -> dict[str, Any]:
        """The state as it is stored, secrets encrypted."""
        return dict(json.loads(self.pulumi("stack", "export").stdout))


@contextmanager
def docker_stack(host: Host, folder: Path, config: Mapping[str, Any]) -> Iterator[DockerStack]:
    """A stack that is not up yet; everything of it is gone afterwards, however the tests ended."""
    stack = DockerStack(copy_of_tree(repository(), folder), f"t{uuid.uuid4().hex[:8]}", host)
    stack.configure(config)
    try:
        yield stack
    finally:
        host.remove({PROJECT_LABEL: PROJECT, STACK_LABEL: stack.name})
        shutil.rmtree(stack.root)
