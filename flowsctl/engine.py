"""Drives the Pulumi engine: runs `__main__.py` inline, gathers events, explains failures."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import runpy
import secrets
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pulumi.automation import CommandResult, LocalWorkspace, Stack, StackNotFoundError
from pulumi.automation.errors import CommandError

from flowsctl import locks, plugins, stack_file
from flowsctl.errors import FlowsError
from flowsctl.failures import failure, last_error
from flowsctl.no_debug import no_debug
from flowsctl.pulumi_cli import PulumiCli
from flowsctl.pulumi_process import InterruptiblePulumi
from flowsctl.report import Report
from flowsctl.workspace import PASSPHRASE_VARIABLES, Workspace

ROOT_SECRET_BYTES = 32
ADMIN_PASSWORD_VARIABLE = "FLOWS_ADMIN_PASSWORD"

Operation = Callable[[Stack, dict[str, Any]], object]


class LeanStack(Stack):
    """A stack that does not ask the CLI three more questions after every run, 0.4 s each."""

    def __init__(self, name: str, workspace: LocalWorkspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> dict[str, Any]:
        """Nothing: see Engine.outputs."""
        return {}

    def info(self, show_secrets: bool = True) -> Any:
        """A stand-in: the Automation API only checks that there is one."""
        return ()


class Engine:
    """The engine for one stack.

    `overrides` are the `--config` values of this run; `environment` is what the engine and the provider
    see on top of this process's own.
    """

    def __init__(self, workspace: Workspace, cli: PulumiCli, overrides: Mapping[str, str] | None = None) -> None:
        for name in PASSPHRASE_VARIABLES:
            if os.environ.get(name) == "":
                del os.environ[name]  # an empty passphrase would win over the generated one
        self.workspace = workspace
        self.overrides = dict(overrides or {})
        self.command = InterruptiblePulumi(cli)
        self.environment = workspace.environment()

    def preview(self, report: Report, refresh: bool = False) -> None:
        """What `up` would do. Raises FlowsError where it fails."""
        self._prepare()
        self._operate(lambda stack, options: stack.preview(**options, refresh=refresh), report)

    def up(self, report: Report, refresh: bool = False) -> None:
        """Make the database what the program says; with `refresh` look first at what is really there.

        Raises FlowsError where it fails.
        """
        self._prepare()
        self._operate(lambda stack, options: stack.up(**options, refresh=refresh), report)

    def refresh(self, report: Report) -> None:
        """Read the live database into the state. Raises FlowsError where it fails."""
        self._prepare()
        self._operate(lambda stack, options: stack.refresh(**options), report)

    def forget_gone(self, urns: list[str]) -> None:
        """Look whether these resources are still there, and take those out of the state that are not. Raises FlowsError
        where it fails."""
        self._prepare()
        self._operate(lambda stack, options: stack.refresh(**options, target=urns), Report())

    def destroy(self, report: Report) -> None:
        """Delete what the state holds, without running the program. Raises FlowsError where it fails."""
        self._prepare(root_secret=False)
        self._operate(lambda stack, options: stack.destroy(**options), report)

    def preview_destroy(self, report: Report) -> None:
        """What `destroy` would delete, with its SQL, which the engine never asks the provider for.

        Raises FlowsError where it fails.
        """
        from flowsctl import drop_sql

        self._prepare(root_secret=False)
        self._operate(lambda stack, options: stack.preview_destroy(**options), report)
        for urn, statements in drop_sql.from_state(self.export()).items():
            if urn in report.resources:
                report.resources[urn].sql = statements

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        self.workspace.prepare()
        try:
            self._cli("stack", "--stack", self.workspace.stack, "--show-name")
        except StackNotFoundError:
            return False
        return True

    def outputs(self, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets read `[secret]` unless asked for.

        Raises FlowsError where the stack does not exist or was never brought up.
        """
        arguments = ["stack", "output", "--json", "--stack", self.workspace.stack]
        never = FlowsError(f"stack {self.workspace.stack} is not up", "run flowsctl up first")
        self._restore_salt()
        try:
            result = self._cli(*arguments, *(["--show-secrets"] if show_secrets else []))
        except StackNotFoundError:
            raise never from None
        found: dict[str, Any] = json.loads(result.stdout)
        if not found:
            raise never
        return found

    def export(self, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's state, secrets encrypted unless asked for. Raises FlowsError where the stack does not exist."""
        clear = ["--show-secrets"] if show_secrets else []
        try:
            result = self._cli("stack", "export", "--stack", self.workspace.stack, *clear)
        except StackNotFoundError:
            raise FlowsError(f"stack {self.workspace.stack} does not exist", "run flowsctl up first") from None
        return dict(json.loads(result.stdout))

    def secret(self, key: str) -> str:
        """A secret config value, decrypted; empty where the stack has none. Raises FlowsError where it is not
        readable."""
        self.workspace.prepare()
        self._restore_salt()
        full = f"{self.workspace.project_name}:{key}"
        if full in self.overrides or key in self.overrides:
            return self.overrides.get(full) or self.overrides[key]
        if full not in (stack_file.read(self.workspace.config_file).get("config") or {}):
            return ""
        return self._cli("config", "get", full, "--stack", self.workspace.stack).stdout.rstrip("\n")

    def set_secret(self, key: str, value: str) -> None:
        """Store a secret config value, encrypted. Raises FlowsError where it cannot be."""
        self._set_secret(f"{self.workspace.project_name}:{key}", value)

    def forget(self, force: bool = False) -> None:
        """Remove the destroyed stack from the backend. Raises FlowsError where it still holds resources, unless
        `force` says that what they stand for is gone."""
        self.workspace.prepare()
        try:
            self._cli("stack", "rm", "--yes", *(["--force"] if force else []), self.workspace.stack)
        except StackNotFoundError:
            return

    def make_stack(self) -> None:
        """The stack with its root secret, without a resource. Raises FlowsError where it cannot be made."""
        self._prepare()

    def import_state(self, deployment: str) -> None:
        """Replace the stack's state. Raises FlowsError where the Pulumi command refuses it."""
        self._fed(deployment, f"the state of stack {self.workspace.stack}", "stack", "import")

    def _prepare(self, root_secret: bool = True) -> None:
        """Working copy, stack, root secret. The salt comes with `stack init`, so it has to be there first."""
        self.workspace.prepare()
        for lock in locks.clear_dead_locks(self.workspace):
            print(
                f"cleared the lock of a run that died (process {lock.pid}, {lock.taken:%Y-%m-%d %H:%M:%S})",
                file=sys.stderr,
            )
        is_there = self._restore_salt()
        file = stack_file.refresh_working_copy(self.workspace)
        key = f"{self.workspace.project_name}:{stack_file.ROOT_SECRET}"
        if root_secret and key not in file["config"]:
            if is_there is None:
                is_there = self.exists()
            if is_there:
                self._set_secret(key, self._old_root_secret() or self._new_root_secret())
            else:
                self._cli("stack", "init", self.workspace.stack)
                self._set_secret(key, secrets.token_hex(ROOT_SECRET_BYTES))
        self._take_admin_password()

    def _take_admin_password(self) -> None:
        """An external server's password from the environment, once: from then on the stack's file has it, encrypted."""
        given = os.environ.get(ADMIN_PASSWORD_VARIABLE)
        if given and stack_file.effective(self.workspace, "engine", self.overrides) == "external":
            self._set_secret(f"{self.workspace.project_name}:adminPassword", given)

    def _restore_salt(self) -> bool | None:
        """Where the state outlived the working copy (shared backend), take its salt from there.

        Returns whether the stack exists, None where there was no need to ask: every question is a run of the CLI.
        """
        self.workspace.prepare()
        file = stack_file.read(self.workspace.config_file)
        if "encryptionsalt" in file or "secretsprovider" in file:
            return None
        if not self.exists():
            return False
        stack_file.refresh_working_copy(self.workspace)
        provider = self.export().get("deployment", {}).get("secrets_providers") or {}
        if provider.get("type") == "passphrase":
            stack_file.set_salt(self.workspace, provider["state"]["salt"])
        return True

    def _old_root_secret(self) -> str:
        """The root secret that the state still has; empty where there is none."""
        result = self._cli("stack", "output", "--json", "--show-secrets", "--stack", self.workspace.stack)
        return str(json.loads(result.stdout).get(stack_file.ROOT_SECRET) or "")

    def _new_root_secret(self) -> str:
        """Raises FlowsError where resources exist that were made with another one."""
        if self.export().get("deployment", {}).get("resources"):
            raise FlowsError(
                f"stack {self.workspace.stack} exists, but its root secret is neither here nor in its outputs",
                f"copy .flows/stacks/{self.workspace.stack} from the clone that brought it up",
            )
        return secrets.token_hex(ROOT_SECRET_BYTES)

    def _set_secret(self, key: str, value: str) -> None:
        self._fed(value, key, "config", "set", "--secret", key)

    def _fed(self, text: str, what: str, *arguments: str) -> None:
        """A command that reads `text`: arguments can be read by every user of the machine, standard input cannot."""
        done = subprocess.run(
            [self.command.command, "--non-interactive", *arguments, "--stack", self.workspace.stack],
            input=text,
            text=True,
            capture_output=True,
            cwd=self.workspace.folder,
            env={**os.environ, **self.environment},
            check=False,
        )
        if done.returncode != 0:
            raise FlowsError(f"{what} could not be stored: {last_error(done.stderr)}", "run it again with --debug")

    def _cli(self, *arguments: str) -> CommandResult:
        try:
            return self.command.run(list(arguments), str(self.workspace.folder), self.environment)
        except StackNotFoundError:
            raise
        except CommandError as error:
            raise failure(error, Report()) from error

    def _operate(self, operation: Operation, report: Report) -> None:
        engine = str(stack_file.effective(self.workspace, "engine", self.overrides))
        if stack_file.has_containers(self.workspace, self.overrides):
            engine = "docker"
        plugins.ensure(engine, self.command, self.environment)
        workspace = LocalWorkspace(
            work_dir=str(self.workspace.folder),
            program=self._program,
            env_vars=self.environment,
            pulumi_command=self.command,
        )
        stack = LeanStack(self.workspace.stack, workspace)
        with (
            stack_file.for_one_run(self.workspace, self.overrides) as config_file,
            contextlib.chdir(self.workspace.root),
        ):
            options: dict[str, Any] = {"on_event": report.on_event, "color": "never"}
            if config_file is not None:
                options["config_file"] = str(config_file)
            try:
                try:
                    operation(stack, options)
                except StackNotFoundError:
                    self._cli("stack", "init", self.workspace.stack)
                    operation(stack, options)
            except CommandError as error:
                raise failure(error, report) from error

    def _program(self) -> Awaitable[None]:
        """The project's `__main__.py`, its prints kept off our own output.

        Its end is a turn of the event loop, in which every registration begins, so that the SDK waits for them one by
        one. It finds none otherwise and waits for all outputs together, again and again as each comes: half of an
        update's CPU here (pulumi 3.272, runtime/stack.py, wait_for_rpcs; measured).
        """
        root = str(self.workspace.root)
        if root not in sys.path:
            sys.path.insert(0, root)
        no_debug()
        with contextlib.redirect_stdout(sys.stderr):
            runpy.run_path(str(self.workspace.root / "__main__.py"), run_name="__main__")
        return asyncio.sleep(0)
