"""Runs the Pulumi CLI as a child that Ctrl-C cancels gracefully."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from flowsctl.errors import Interrupted
from flowsctl.pulumi_cli import PulumiCli


class InterruptiblePulumi(PulumiCommand):
    """Runs the CLI in its own process group, so that one Ctrl-C reaches it once, and waits for it to finish.

    The inline program lives in this process: leaving before the engine would cut its cancelling short.
    """

    def __init__(self, cli: PulumiCli) -> None:
        # The parent's initialiser runs the CLI again only to ask for the version that is known here.
        self.command = str(cli.path)
        self.version = VersionInfo.parse(cli.version)
        self.interrupted = 0  # how often

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Run one command. Raises CommandError where it fails, Interrupted where the user stopped it."""
        environment = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        environment["PATH"] = os.pathsep.join([str(Path(self.command).parent), environment.get("PATH", "")])
        lines: tuple[list[str], list[str]] = ([], [])
        with self._started(args, cwd, environment) as process, self._forwarding(process):
            streams = ((process.stdout, lines[0], on_output), (process.stderr, lines[1], on_error))
            readers = [threading.Thread(target=_read_lines, args=stream) for stream in streams]
            for reader in readers:
                reader.start()
            process.wait()
            for reader in readers:
                reader.join()
        result = CommandResult("\n".join(lines[0]), "\n".join(lines[1]), process.returncode)
        if self.interrupted:
            raise Interrupted
        if process.returncode != 0:
            raise create_command_error(result)
        return result

    def _started(self, args: list[str], cwd: str, environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )

    @contextlib.contextmanager
    def _forwarding(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """SIGINT and SIGTERM go to the CLI: the first one cancels gracefully, the second at once, the third ends a CLI
        that does neither (seen after its plugin was ended)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def forward(_number: int, _frame: FrameType | None) -> None:
            self.interrupted += 1
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT if self.interrupted < 3 else signal.SIGKILL)
            if self.interrupted == 1:
                with contextlib.suppress(BrokenPipeError):  # whoever read it may be gone
                    print("cancelling: waiting for what is running to finish", file=sys.stderr, flush=True)

        before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _read_lines(stream: Any, lines: list[str], callback: Callable[[str], Any] | None) -> None:
    for line in stream:
        text = line.rstrip()
        lines.append(text)
        if callback is not None:
            callback(text)
