"""A throw-away place to try a change in, and the simplest of them: the base commit on an embedded server of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from components import place
from components.config import EMBEDDED
from flowsctl import reach
from flowsctl.errors import FlowsError
from flowsctl.tree import copy_of_tree, link_installed
from pulumi_timescaledb.connection import ConnectionSettings

if TYPE_CHECKING:
    from flowsctl.options import Options
    from flowsctl.planning import Program

OWN_VARIABLES = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
"""A base's trial has its own state and secrets and needs no real ones, so a fork's pull request can have it."""
RUN_SECONDS = 900
ENDING_SECONDS = 60
"""For a command that is interrupted, to end in order."""
DEMO = ("--escos", "2", "--meters", "10", "--days", "7")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """A tree and a stack in it whose database may be changed and thrown away."""

    root: Path
    stack: str
    head: Path
    config: Mapping[str, str]
    connection: ConnectionSettings
    hidden: tuple[str, ...] = ()
    """Environment variables that its commands do not get."""
    seconds: float = RUN_SECONDS
    """The longest that one of its commands may take."""
    standing: Callable[[], AbstractContextManager[None]] = field(default=nullcontext)
    """Before `up` the database answers only inside this."""

    def ctl(self, *arguments: str) -> str:
        """Standard output of a flowsctl command of the trial's tree. Raises FlowsError where it fails."""
        given = [part for key, value in self.config.items() for part in ("--config", f"{key}={value}")]
        command = [str(self.root / "bin" / "flowsctl"), *arguments, "--stack", self.stack, *given]
        code, out, err = self._run(command)
        if code != 0:
            last = (err.strip() or out.strip()).splitlines()
            errors = [line for line in last if line.startswith("error: ")] or last[-1:]
            raise FlowsError(
                f"the trial failed at flowsctl {arguments[0]}: {' '.join(errors).removeprefix('error: ')}",
                "run the same command in a clone of the base commit",
            )
        return out

    def _run(self, command: list[str]) -> tuple[int, str, str]:
        """In a session of its own: a Ctrl-C reaches it once, through us, and is waited for. What is thrown away while
        an engine still works on it would come back."""
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key not in self.hidden},
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=self.seconds)
            except BaseException:
                process.send_signal(signal.SIGINT)
                try:
                    process.communicate(timeout=ENDING_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise
        return process.returncode, out, err

    def advance(self) -> None:
        """Give the trial's tree the program of the working tree."""
        if self.root != self.head:
            copy_of_tree(self.head, self.root)


@contextmanager
def of_base(program: Program, base: str, options: Options, say: Say) -> Iterator[Trial]:
    """The base commit's program, up on an embedded server, with a little demo data; gone afterwards.

    Raises:
        FlowsError: git does not know the commit, or its program does not come up.
    """
    root = program.workspace.root
    commit = _commit(root, base)
    with tempfile.TemporaryDirectory(prefix="flows-trial-") as folder:
        tree = Path(folder) / "tree"
        _git(root, "worktree", "add", "--detach", "--quiet", str(tree), commit)
        config = {**options.config, "engine": EMBEDDED, "disposable": "true"}
        there = place.connection(replace(program.config, engine=EMBEDDED), tree, options.stack, reach.UNSEEN)
        trial = Trial(tree, options.stack, root, config, there, OWN_VARIABLES)
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
