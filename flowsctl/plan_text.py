"""A plan for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pulumi_timescaledb.plan import Step
    from pulumi_timescaledb.planner import Planned
    from pulumi_timescaledb.statement import Statement

Verb = Literal["create", "update", "delete"]
VERBS: tuple[Verb, ...] = ("create", "update", "delete")


def as_json(planned: Planned) -> str:
    """The documented form."""
    counts = Counter(step.verb for step in planned.plan.steps)
    report = {
        "counts": {verb: counts[verb] for verb in VERBS},
        "steps": [step_json(step) for step in planned.plan.steps],
        "refusals": [str(refusal) for refusal in planned.plan.refusals],
        "drift": {subject: list(names) for subject, names in planned.standing.drifted.items()},
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def step_json(step: Step) -> dict[str, Any]:
    """One step; also how a plan file holds it."""
    return {
        "verb": step.verb,
        "kind": step.spec.KIND,
        "id": step.spec.import_id(),
        "statements": [_statement_json(statement) for statement in step.statements],
        "remade": [f"{spec.KIND} {spec.import_id()}" for spec in step.remade],
    }


def _statement_json(statement: Statement) -> dict[str, Any]:
    return {
        "sql": statement.sql,
        "lock": str(statement.lock),
        "hazards": [str(hazard) for hazard in statement.hazards],
        "transactional": statement.transactional,
    }


def as_text(planned: Planned) -> str:
    """Every step with its statements, then what stands in the way, then the count."""
    return "\n".join(_lines(planned))


def _lines(planned: Planned) -> Iterator[str]:
    for subject, names in planned.standing.drifted.items():
        yield f"changed outside: {subject} ({', '.join(names) or 'it is gone'})"
    for step in planned.plan.steps:
        yield f"{step.verb} {step.subject}"
        for statement in step.statements:
            yield from (f"    -- {note}" for note in notes(statement))
            yield "    " + statement.sql.replace("\n", "\n    ") + ";"
        yield from (f"    makes again: {spec.KIND} {spec.import_id()}" for spec in step.remade)
    yield from (f"refused: {refusal}" for refusal in planned.plan.refusals)
    counts = Counter(step.verb for step in planned.plan.steps)
    said = ", ".join(f"{counts[verb]} to {verb}" for verb in VERBS if counts[verb])
    yield said or "no change"


def notes(statement: Statement) -> Iterator[str]:
    """What a statement costs: its lock, its hazards."""
    if statement.lock:
        yield f"lock: {statement.lock}"
    yield from (str(hazard) for hazard in statement.hazards)
