"""Plans what `up` would do from the program's declarations and the database alone: no engine, no Pulumi command."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import flows
from components import declared
from components.config import StackConfig
from components.secrets import StackSecrets
from flowsctl import reach
from flowsctl.errors import EXIT_REFUSED, FlowsError
from flowsctl.options import Options
from flowsctl.session import read_config
from flowsctl.workspace import Workspace
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.errors import Declined, ProviderError
from pulumi_timescaledb.planner import Planned, plan_database
from pulumi_timescaledb.whole import Whole

if TYPE_CHECKING:
    from flowsctl.engine import Engine

_UNSEEN = StackSecrets("plans show no secret")
"""Whether a role gets a password decides its statements; which one does not, and finding it out takes a second."""


@dataclass(frozen=True)
class Program:
    """What a stack's program declares, as it is known before anything runs."""

    workspace: Workspace
    config: StackConfig
    whole: Whole
    connection: ConnectionSettings


def read_program(options: Options, *, exact: bool = False) -> Program:
    """The declarations of the chosen stack under its config and this run's `--config` values; `exact`: as the provider
    reads them, for a plan that it is held to (a copied spec may hold what validation would have put in order).

    Raises:
        FlowsError: a config value or a declaration is wrong.
    """
    workspace, config = read_config(options)
    try:
        whole = declared.declared(config, _UNSEEN)
        if exact:
            whole = Whole(type(spec).from_wire(spec.to_wire()) for spec in whole.specs.values())
    except ValueError as error:
        raise FlowsError(f"the declarations are wrong: {error}", "correct them") from error
    return Program(workspace, config, whole, reach.connection(options, workspace, config))


def make(options: Options, program: Program) -> Planned:
    """The plan of the chosen stack. An embedded server that was made and does not run is started.

    Raises:
        FlowsError: the database does not answer.
    """

    async def planned() -> Planned:
        database = reach.database(program.workspace, program.config, program.connection)
        try:
            changes = reach.server_changes(program.workspace, program.config)
            return await plan(database, program, server_changes=changes)
        finally:
            await database.close()

    try:
        return asyncio.run(planned())
    except ProviderError as error:
        raise FlowsError(str(error), "look at the server, or run flowsctl up") from error


async def plan(database: Database, program: Program, *, server_changes: bool = False) -> Planned:
    """The plan of a program against any database. Raises ProviderError where that does not answer."""
    config = program.config
    return await plan_database(
        database,
        program.whole,
        program.workspace.owner,
        config.allow,
        config.policies,
        server_changes=server_changes,
    )


def text(planned: Planned, program: Program, options: Options, *, sql: bool) -> str:
    """The plan as it is printed, with its last line break; what the configured edition takes away comes first."""
    warnings = flows.warnings(program.config.settings)
    if sql and not options.json:
        from pulumi_timescaledb.script import script

        return "".join(f"-- warning: {each}\n" for each in warnings) + script(planned.plan)
    from flowsctl.plan_text import as_json, as_text

    return (as_json(planned, warnings) if options.json else as_text(planned, warnings)) + "\n"


def save(planned: Planned, options: Options, program: Program, path: Path) -> None:
    """Write the plan for `up --plan`. Raises FlowsError where the file cannot be written."""
    from pulumi_timescaledb import review

    try:
        review.write(path, review.document(planned, program.whole, program.workspace.owner, program.config.allow))
    except OSError as error:
        raise FlowsError(f"the plan cannot be written to {path}: {error.strerror}", "choose another place") from error


def hold_to(engine: Engine, options: Options, path: Path) -> bool:
    """Make the coming update of `engine` carry out the reviewed plan in `path` and nothing else.

    Returns whether it must refresh first, because the plan mends what was changed outside.
    Raises FlowsError (exit code 3) where the plan does not hold any more.
    """
    from pulumi_timescaledb import review

    program = read_program(options, exact=True)
    planned = make(options, program)
    try:
        reviewed = review.Reviewed(path)
        reviewed.demand(review.document(planned, program.whole, program.workspace.owner, program.config.allow))
        if planned.plan.refusals:
            raise Declined(str(planned.plan.refusals[0]))
        _refuse_upgrade(planned, program)
    except Declined as moved:
        raise FlowsError(str(moved), "nothing was touched", EXIT_REFUSED) from None
    engine.environment |= reviewed.environment()
    return bool(planned.standing.drifted)


def _refuse_upgrade(planned: Planned, program: Program) -> None:
    """Raises Declined where a new image brings a new TimescaleDB: the server answers nothing until the extension has
    followed, so the plan could not be held against it, and the database would be down by then."""
    upgraded = any(statement.first for step in planned.plan.steps for statement in step.statements)
    if upgraded and reach.server_changes(program.workspace, program.config):
        raise Declined(
            "A reviewed plan cannot be held to while another image takes the server's place and TimescaleDB is "
            "upgraded with it. Run flowsctl up without --plan for that, then the rest with it."
        )
