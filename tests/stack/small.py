"""A small program on the real engine: a server in a folder, a few declarations, and whatever a test does to them."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pulumi
from pulumi.automation import CommandError, LocalWorkspace, PulumiCommand, Stack

from components.config import StackConfig
from components.engine import embedded
from components.place import ADMIN
from components.schema import provision
from components.secrets import StackSecrets
from flowsctl.pulumi_cli import find
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.resources import Provider, Seal
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

ROOT = Path(__file__).resolve().parents[2]
PROJECT = """\
name: {name}
runtime: python
plugins:
  providers:
    - name: timescaledb
      path: {plugin}
"""


class Small:
    """One stack of a project in a folder of its own. Its settings may be changed between runs."""

    def __init__(self, folder: Path, project: str = "small", stack: str = "dev", data: Path | None = None) -> None:
        self.folder, self.stack = folder, stack
        self.data = data or folder / "data"
        self.provider, self.disposable, self.settings = "database", True, dict[str, Any]()
        self.options = pulumi.ResourceOptions()
        (folder / "state").mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text(PROJECT.format(name=project, plugin=ROOT / "pulumi_timescaledb" / "plugin"))
        self.declared: Sequence[Spec] = ()

    def program(self) -> None:
        """What the stack declares now."""
        place = EmbeddedServer(self.data)
        settings = ConnectionSettings(
            host=str(place.socket_dir),
            port=place.port,
            user=ADMIN,
            embedded_folder=str(self.data),
            disposable=self.disposable,
        )
        server = embedded.make(StackConfig.read({}), settings, StackSecrets("small"))
        settings = dataclasses.replace(settings, **self.settings)
        provider = Provider(self.provider, settings, self.options)
        whole = Whole(self.declared)
        made = provision(whole, provider, server.resources)
        seal = pulumi.ResourceOptions(parent=made.component, provider=provider, depends_on=[*made.ends])
        Seal("seal", whole, opts=seal)

    def _stack(self, *, make: bool = False) -> Stack:
        cli = find(ROOT)
        assert cli is not None, "run make setup first"
        os.environ["PATH"] = os.pathsep.join([str(Path(cli.path).parent), os.environ["PATH"]])
        variables = {
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "small",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        workspace = LocalWorkspace(
            work_dir=str(self.folder),
            program=self.program,
            env_vars=variables,
            pulumi_command=PulumiCommand(skip_version_check=True),
        )
        return Stack.create_or_select(self.stack, workspace) if make else Stack.select(self.stack, workspace)

    def run(self, verb: str, declared: Sequence[Spec] | None = None, **options: Any) -> Counter[str]:
        """up, preview, refresh or destroy: how many resources had which operation. Raises CommandError."""
        if declared is not None:
            self.declared = declared
        operations: Counter[str] = Counter()

        def heard(event: Any) -> None:
            found = (
                event.resource_pre_event or event.res_outputs_event if verb != "preview" else event.resource_pre_event
            )
            if event.resource_pre_event is not None and found is not None:
                operations[str(found.metadata.op.value)] += 1

        try:
            getattr(self._stack(make=True), verb)(on_event=heard, color="never", **options)
        finally:
            gc.collect()  # sockets and loops that the Automation API leaves open are told of now, not in another test
        return Counter({name: count for name, count in operations.items() if name != "same"})

    def refused(self, verb: str, declared: Sequence[Spec] | None = None, **options: Any) -> str:
        """What is said where a run must fail."""
        try:
            done = self.run(verb, declared, **options)
        except CommandError as error:
            return str(error)
        raise AssertionError(f"{verb} was not refused: {done}")

    def cli(self, *arguments: str) -> None:
        """Any pulumi command on the stack."""
        workspace = self._stack().workspace
        workspace.pulumi_command.run(list(arguments), str(self.folder), workspace.env_vars)

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Rows, behind the provider's back."""
        server = EmbeddedServer(self.data)
        with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []
