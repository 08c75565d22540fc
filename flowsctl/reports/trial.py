"""A throw-away place to try a change in: the base commit on an embedded server of its own, or a clone of the stack."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowsctl.errors import FlowsError
from flowsctl.tree import copy_of_tree, link_installed

OWN_VARIABLES = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
"""A trial has its own state and secrets: it needs none of the real ones, so a fork's pull request can have it."""
RUN_SECONDS = 900
DEMO = ("--escos", "2", "--meters", "10", "--days", "7")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """A tree and a stack in it whose database may be changed and thrown away."""

    root: Path
    stack: str
    head: Path
    config: Mapping[str, str]

    def ctl(self, *arguments: str) -> str:
        """Standard output of a flowsctl command of the trial's tree. Raises FlowsError where it fails."""
        given = [part for key, value in self.config.items() for part in ("--config", f"{key}={value}")]
        command = [str(self.root / "bin" / "flowsctl"), *arguments, "--stack", self.stack, *given]
        environment = {key: value for key, value in os.environ.items() if key not in OWN_VARIABLES}
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()
            errors = [line for line in last if line.startswith("error: ")] or last[-1:]
            raise FlowsError(
                f"the trial failed at flowsctl {arguments[0]}: {' '.join(errors).removeprefix('error: ')}",
                "run the same command in a clone of the base commit",
            )
        return done.stdout

    def advance(self) -> None:
        """Give the trial's tree the program of the working tree."""
        if self.root != self.head:
            copy_of_tree(self.head, self.root)


@contextmanager
def of_base(root: Path, base: str, stack: str, config: Mapping[str, str], say: Say) -> Iterator[Trial]:
    """The base commit's program, up on an embedded server, with a little demo data; gone afterwards.

    Raises:
        FlowsError: git does not know the commit, or its program does not come up.
    """
    commit = _commit(root, base)
    with tempfile.TemporaryDirectory(prefix="flows-trial-") as folder:
        tree = Path(folder) / "tree"
        _git(root, "worktree", "add", "--detach", "--quiet", str(tree), commit)
        trial = Trial(tree, stack, root, {**config, "engine": "embedded", "disposable": "true"})
        try:
            link_installed(root, tree)
            say(f"bringing up {base} ({commit[:10]}) on a throw-away server")
            trial.ctl("up")
            trial.ctl("demo", "load", *DEMO)
            yield trial
        finally:
            try:
                _take_down(trial)
            finally:
                _git(root, "worktree", "remove", "--force", str(tree))


@contextmanager
def of_stack(root: Path, stack: str, config: Mapping[str, str], say: Say) -> Iterator[Trial]:
    """A clone of the stack's embedded database and state; gone afterwards.

    Raises:
        FlowsError: the stack cannot be cloned.
    """
    from flowsctl.environments.claim import Wanted
    from flowsctl.environments.making import make
    from flowsctl.environments.removal import remove

    name = f"trial of {stack} {os.getpid()}"
    made = make(root, Wanted(name, stack, "embedded", "clone", 3600), say, True, unchanged=True)
    try:
        yield Trial(root, made.stack, root, config)
    finally:
        remove(root, made)


def _take_down(trial: Trial) -> None:
    """Processes and data of a trial's tree: all of it is in its folder."""
    from flowsctl.database import remove_local_processes
    from flowsctl.workspace import Workspace

    remove_local_processes(Workspace(trial.root, trial.stack))


def _commit(root: Path, base: str) -> str:
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}").strip()
    except FlowsError:
        raise FlowsError(
            f"git does not know the commit {base}", "fetch it first (in CI: check out with full history)"
        ) from None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FlowsError(f"git {arguments[0]} failed: {done.stderr.strip()}", "look at the repository")
    return done.stdout
