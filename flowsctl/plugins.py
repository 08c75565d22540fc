"""Pulumi's plugins that an engine needs besides our own: there before a run begins, or a sentence that says how."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from flowsctl.errors import FlowsError

if TYPE_CHECKING:
    from pulumi.automation import PulumiCommand

NEEDED = {"docker": ("docker", "postgresql"), "external": ("postgresql",)}
"""By engine; what has an API before an external server needs as much as the docker engine."""
DOWNLOAD_SECONDS = 300


def ensure(engine: str, command: PulumiCommand, environment: Mapping[str, str]) -> None:
    """Every plugin the engine needs, in the version of its Python package; a missing one is downloaded.

    Raises FlowsError where it is missing and cannot be downloaded.
    """
    for name in NEEDED.get(engine, ()):
        wanted = version(f"pulumi-{name}")
        if not is_installed(name, wanted, environment):
            install(name, wanted, command, environment)


def is_installed(name: str, wanted: str, environment: Mapping[str, str]) -> bool:
    """Whether the plugin lies where the Pulumi command looks for it."""
    home = environment.get("PULUMI_HOME") or os.environ.get("PULUMI_HOME") or "~/.pulumi"
    return (Path(home).expanduser() / "plugins" / f"resource-{name}-v{wanted}").is_dir()


def install(name: str, wanted: str, command: PulumiCommand, environment: Mapping[str, str]) -> None:
    """Download it, as the Pulumi command would in the middle of a run, where its failure is hard to understand."""
    print(f"installing Pulumi's plugin {name} {wanted}", file=sys.stderr, flush=True)
    arguments = ["plugin", "install", "resource", name, wanted]
    try:
        done = subprocess.run(
            [command.command, "--non-interactive", *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1] if done.returncode else ""
    except subprocess.TimeoutExpired:
        reason = f"not done after {DOWNLOAD_SECONDS} s"
    if reason:
        raise FlowsError(
            f"Pulumi's plugin {name} {wanted} is not installed and cannot be downloaded: {reason}",
            f"get pulumi-resource-{name}-v{wanted}-*.tar.gz from github.com/pulumi/pulumi-{name}/releases, then "
            f"pulumi {' '.join(arguments)} --file THAT_FILE",
        )
