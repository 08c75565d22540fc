"""pgBackRest by its commands, run in a container that has the repository."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from components.containers.pgbackrest_conf import PRIVATE_CONFIG, STANZA
from flowsctl.errors import EXIT_REFUSED, FlowsError

from .pgbackrest_output import parse_archive, parse_info, parse_verify, problem
from .tool import Archive, Backup, Kind, Moment, Progress, Repository, Target, Verification

BACKUP_SCRIPT = "/etc/flows/backup.sh"
ALREADY_RUNNING = 75
"""Exit code of the script while another backup runs (EX_TEMPFAIL)."""
SECONDS = 120
LONG_SECONDS = 24 * 3600
POLL_SECONDS = 1.0
QUIET = ("--log-level-console=off", "--log-level-stderr=error")
ERROR = re.compile(r"ERROR: (?:\[(?P<code>\d+)\]: )?(?P<text>.*)")


class Done(Protocol):
    """What a command came to, as `flowsctl.containers.running.Done`."""

    @property
    def code(self) -> int:
        """Exit code."""

    @property
    def text(self) -> str:
        """Standard output."""

    @property
    def complaint(self) -> str:
        """Standard error."""


class Host(Protocol):
    """Where containers run, as `flowsctl.containers.host.Host`."""

    def execute(self, name: str, command: Sequence[str], *, user: str = ..., timeout: float = ...) -> Done:
        """Run a command in a running container."""


class PgBackRest:
    """The repository that the container can reach. `config` is a file inside it, readable for user postgres."""

    def __init__(self, host: Host, container: str, config: str = PRIVATE_CONFIG) -> None:
        self.host = host
        self.container = container
        self.config = config

    def info(self) -> Repository:
        """What `pgbackrest info` says; a repository that cannot be read is its `problem`, not an error."""
        text = self._run("info", *QUIET, "--output=json")
        try:
            return parse_info(json.loads(text, strict=False))
        except ValueError:
            # A file that was opened with the wrong passphrase is quoted in the answer, bytes and all.
            if "unable to load info file" not in text:
                raise
            return Repository((), problem=problem(text))

    def archive(self) -> Archive:
        """The WAL by the names of the repository's files: `info` knows only the first and the last of them."""
        return parse_archive(self._json("repo-ls", "--recurse", "--output=json", f"archive/{STANZA}"))

    def run(self, kind: Kind, progress: Progress | None = None) -> Backup:
        """Take a backup by the script that the scheduler uses too.

        Raises:
            FlowsError: it failed, or (EXIT_REFUSED) another one is running.
        """
        done = threading.Event()
        watching = threading.Thread(target=self._watch, args=(done, progress), daemon=True)
        if progress is not None:
            watching.start()
        try:
            found = self.host.execute(
                self.container, (BACKUP_SCRIPT, kind.value), user="postgres", timeout=LONG_SECONDS
            )
        except BaseException:
            # The command would go on: what interrupts this program does not reach into the container.
            self.host.execute(self.container, (BACKUP_SCRIPT, "stop"), user="postgres", timeout=SECONDS)
            raise
        finally:
            done.set()
        last = (found.text.strip().splitlines() or [found.complaint])[-1].partition(" ")[2]
        if found.code == ALREADY_RUNNING:
            raise FlowsError(last, "wait until it has ended: flowsctl backup list shows it", EXIT_REFUSED)
        if found.code:
            raise FlowsError(last or f"backup.sh ended with {found.code}", "run flowsctl backup check")
        label = last.split()[1]
        return next(each for each in reversed(self.info().backups) if each.label == label)

    def check(self) -> None:
        """`pgbackrest check`. Raises FlowsError where a segment does not reach the repository."""
        self._run("check")

    def verify(self) -> Verification:
        """`pgbackrest verify`, which exits with 0 whatever it finds (2.55.1): its words are read."""
        found = self._run("verify", "--output=text", "--verbose", "--log-level-console=info", seconds=LONG_SECONDS)
        return parse_verify(found)

    def annotate(self, label: str, notes: Mapping[str, str]) -> None:
        """`pgbackrest annotate`."""
        self._run("annotate", f"--set={label}", *(f"--annotation={key}={value}" for key, value in notes.items()))

    def restore_command(self, target: Target) -> tuple[str, ...]:
        """`pgbackrest restore`, with archiving off in the copy: its WAL must never reach the original's repository."""
        chosen: tuple[str, ...] = ("--type=default",)
        if target.moment is Moment.TIME:
            chosen = ("--type=time", f"--target={_stamp(target.time)}")
        elif target.moment is Moment.LSN:
            chosen = ("--type=lsn", f"--target={target.lsn}")
        elif target.moment is Moment.BACKUP:
            chosen = ("--type=immediate",)
        if target.moment is not Moment.LATEST:
            chosen = (*chosen, f"--target-action={'promote' if target.promote else 'pause'}")
        backup = (f"--set={target.label}",) if target.label else ()
        return (*self._command("restore"), "--archive-mode=off", *chosen, *backup)

    def wal_command(self) -> str:
        """`pgbackrest archive-get`."""
        return " ".join((*self._command("archive-get"), "%f", '"%p"'))

    def _command(self, name: str) -> tuple[str, ...]:
        return ("pgbackrest", f"--config={self.config}", f"--stanza={STANZA}", name)

    def _json(self, name: str, *options: str) -> Any:
        text = self._run(name, *QUIET, *options)
        try:
            return json.loads(text)
        except ValueError as error:
            raise FlowsError(
                f"pgbackrest {name} did not answer in JSON: {text[:200]}", "look at its version"
            ) from error

    def _run(self, name: str, *options: str, seconds: float = SECONDS) -> str:
        """Standard output. Raises FlowsError with pgBackRest's own sentence."""
        command = (*self._command(name), *options)
        done = self.host.execute(self.container, command, user="postgres", timeout=seconds)
        if done.code:
            raise FlowsError(f"pgbackrest {name} failed: {sentence(done)}", "flowsctl backup check says more")
        return done.text

    def _watch(self, done: threading.Event, progress: Progress | None) -> None:
        while not done.wait(POLL_SECONDS):
            try:
                share = self.info().progress
            except FlowsError:
                continue
            if share is not None and progress is not None:
                progress(share)


def sentence(done: Done) -> str:
    """The first error that a command reported, else its last words."""
    text = f"{done.complaint}\n{done.text}"
    found = ERROR.search(text)
    if found:
        return found["text"].strip()
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {done.code}"


def _stamp(moment: datetime | None) -> str:
    """A time as recovery_target_time takes it, in UTC whatever the server's zone."""
    if moment is None or moment.tzinfo is None:
        raise FlowsError("a restore to a time needs a time with its zone", "write it as 2026-11-26T12:00:00Z")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
