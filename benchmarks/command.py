"""Timing a command."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Failed(Exception):
    """A command that failed or took longer than it may; the text says which."""


def seconds(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None, limit: float | None = None
) -> tuple[float, str]:
    """(wall time, standard output) of a command.

    Raises:
        Failed: it failed, or took more than `limit` seconds; it is interrupted then.
    """
    shown = " ".join(command)
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise Failed(f"more than {limit:.0f} s: {shown}") from None
    if process.returncode != 0:
        raise Failed(f"{shown} failed:\n{output[-2000:]}\n{errors[-2000:]}")
    return time.perf_counter() - start, output


def _end(process: subprocess.Popen[str]) -> None:
    """As somebody at the keyboard would: flowsctl then ends the Pulumi command, which is no member of its group."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
