"""A copy of a stack's database and state, on the engine of the stack, to try a change in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from components.config import DOCKER, EXTERNAL
from flowsctl import locks, reach, stack_file
from flowsctl.errors import FlowsError
from flowsctl.options import Options
from flowsctl.reports.trial import Say, Trial
from flowsctl.session import read_config
from flowsctl.workspace import Workspace
from pulumi_timescaledb.connection import ConnectionSettings

if TYPE_CHECKING:
    from flowsctl.environments.record import Environment
    from flowsctl.planning import Program

LIFETIME = 86_400
RUN_SECONDS = 6 * 3600.0
"""A change of a real database may take hours."""
ENDING_SECONDS = 10.0
PLACE = (
    "engine",
    "host",
    "port",
    "adminUser",
    "adminDatabase",
    "databaseName",
    "databasePort",
    "apiPort",
    "dockerHost",
    "rolePrefix",
    "rootSecret",
)
"""What says where a stack's database is, or whose. Given to a copy's `up`, the original would be changed."""
WITHOUT = {
    DOCKER: {"apiEnabled": "false", "backupEnabled": "false", "replicas": "0"},
    EXTERNAL: {"apiEnabled": "false"},
}
"""Only the database is looked at, and what stands beside it takes seconds to come up."""
JOBS_OFF = """
SELECT alter_job(job_id, next_start => 'infinity') FROM timescaledb_information.jobs WHERE job_id >= 1000
"""
"""What a job of the copy deletes would look like the doing of the change. Without workers the change would be refused:
its jobs would never run."""

WORKERS_OFF = "SELECT _timescaledb_functions.stop_background_workers()"
"""Those of this database, running jobs included; only a superuser may."""


@contextmanager
def of_stack(program: Program, options: Options, say: Say) -> Iterator[Trial]:
    """A clone of the stack, made as `env create --data clone` makes it, its server as it was; gone afterwards. One that
    a kill leaves is found by `env gc`.

    Raises:
        FlowsError: the stack cannot be cloned, or clients of an external database would be in the way.
    """
    from flowsctl.environments.removal import remove

    _refuse_another_place(program.workspace, options.config)
    root, engine = program.workspace.root, program.config.engine
    made = _made(root, options.stack, say)
    try:
        config = {**options.config, "disposable": "true", **WITHOUT.get(engine, {})}
        there = _connection(made.stack, config)
        standing = partial(_standing, engine, Workspace(root, made.stack), there)
        yield Trial(root, made.stack, root, config, there, seconds=RUN_SECONDS, standing=standing)
    finally:
        locks.end_holders(Workspace(root, made.stack), ENDING_SECONDS)  # an engine that an interrupted command left
        remove(root, made)


def _made(root: Path, stack: str, say: Say) -> Environment:
    from flowsctl.environments.claim import Wanted
    from flowsctl.environments.making import make
    from flowsctl.environments.server_database import InUse

    wanted = Wanted(f"trial of {stack} {os.getpid()}", stack, data="clone", lifetime=LIFETIME)
    try:
        return make(root, wanted, say, True, unchanged=True)
    except InUse as error:
        raise FlowsError(
            error.message, "stop them for as long as the copy takes, or add --against COMMIT, which needs no copy"
        ) from None


def _refuse_another_place(workspace: Workspace, config: Mapping[str, str]) -> None:
    for key in PLACE:
        if stack_file.effective(workspace, key, config) != stack_file.effective(workspace, key, {}):
            raise FlowsError(
                f"--config {key} names another place than the one that is copied for a proof",
                "leave it out, or leave --prove out",
            )


def _connection(stack: str, config: Mapping[str, str]) -> ConnectionSettings:
    options = Options(stack, dict(config))
    return reach.connection(options, *read_config(options))


@contextmanager
def _standing(engine: str, workspace: Workspace, there: ConnectionSettings) -> Iterator[None]:
    with _served(workspace) if engine == DOCKER else nullcontext():
        if not there.embedded_folder:
            with psycopg.connect(**there.conninfo(), autocommit=True) as session:
                if engine == EXTERNAL:  # what was due has begun with the copy, and holds locks for as long as it takes
                    with suppress(psycopg.errors.InsufficientPrivilege):
                        session.execute(WORKERS_OFF)
                session.execute(JOBS_OFF)
        yield


def _served(workspace: Workspace) -> AbstractContextManager[None]:
    from flowsctl.environments import clone_docker
    from flowsctl.environments.making import open_engine

    return clone_docker.standing(open_engine(workspace.root, workspace.stack))
