"""One review of a change: against the stack or against a base commit, with reports, and with a proof if asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from components.config import EMBEDDED
from flowsctl import planning
from flowsctl.errors import FlowsError
from flowsctl.options import Options
from flowsctl.planning import Program
from flowsctl.reports.proof import Proof, prove
from flowsctl.reports.stack_copy import of_stack
from flowsctl.reports.story import Story, tell
from flowsctl.reports.trial import Say, Trial, of_base
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.planner import Planned, sized

LIVE_DSN = "FLOWS_LIVE_DSN"
"""Environment variable: a read-only connection string of the real database, for live sizes in a review against a base.
Not an option: arguments can be read by every user of the machine."""


@dataclass(frozen=True)
class Review:
    """The outcome of a review."""

    story: Story
    planned: Planned
    proof: Proof | None = None

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return self.story.as_json() | {"proof": self.proof.as_json() if self.proof is not None else None}


def review(options: Options, base: str, with_proof: bool, live_dsn: str, say: Say) -> Review:
    """Plans the working tree's program against the stack, or, with `base`, against that commit's on a throw-away
    server, where every loss counts as if there were data.

    Raises:
        FlowsError: it cannot be planned, or the proof could not be carried out.
    """
    if base:  # both sides as the throw-away server has them, roles included
        options = replace(options, config={**options.config, "engine": EMBEDDED})
    program = planning.read_program(options)
    if not base:
        planned = planning.make(options, program)
        proof = None
        if with_proof and not planned.plan.refusals:
            with of_stack(program, options, say) as trial:
                proof = _proved(trial, program, planned, say)
        return Review(tell(planned, program.whole, options.stack), planned, proof)
    with of_base(program, base, options, say) as trial:
        planned = asyncio.run(
            _planned(replace(trial.connection, disposable=program.config.disposable), program, live_dsn)
        )
        refused = [] if program.config.disposable else _unproved_losses(planned, program)
        proof = None
        if with_proof and not planned.plan.refusals and not refused:
            proof = _proved(trial, program, planned, say)
        return Review(tell(planned, program.whole, options.stack, refused), planned, proof)


def _proved(trial: Trial, program: Program, planned: Planned, say: Say) -> Proof:
    say("applying the change to the throw-away copy")
    return prove(trial, planned, program.whole)


async def _planned(there: ConnectionSettings, program: Program, live_dsn: str) -> Planned:
    database = Database(there)
    try:
        planned = await planning.plan(database, program)
    finally:
        await database.close()
    if live_dsn:
        live = Database(_from_dsn(live_dsn))
        try:
            planned.plan.steps = await sized(live, planned.plan.steps)
        finally:
            await live.close()
    return planned


def _from_dsn(dsn: str) -> ConnectionSettings:
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(dsn)
    except Exception:
        raise FlowsError(f"{LIVE_DSN} is not a connection string", "write it as host=... dbname=... user=...") from None
    return ConnectionSettings(
        host=str(parts.get("host") or ""),
        port=int(parts.get("port") or 5432),
        user=str(parts.get("user") or ""),
        password=str(parts.get("password") or ""),
        database=str(parts.get("dbname") or "postgres"),
        sslmode=str(parts.get("sslmode") or "prefer"),
        sslrootcert=str(parts.get("sslrootcert") or ""),
    )


def _unproved_losses(planned: Planned, program: Program) -> list[str]:
    """A base's own rows say nothing about the real database: what could lose data is refused until it is allowed."""
    allowed = frozenset(program.config.allow)
    found = []
    for step in planned.plan.steps:
        for statement in step.statements:
            for hazard in statement.hazards:
                if hazard.code == "data_loss" and hazard.allow not in allowed | step.allow:
                    found.append(
                        f'{step.subject}: {hazard.sentence}. To permit this very loss, add "{hazard.allow}" to `allow`.'
                    )
    told = " ".join(str(refusal) for refusal in planned.plan.refusals)
    return [text for text in dict.fromkeys(found) if text.split(". To permit")[0] not in told]
