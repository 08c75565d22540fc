"""A plan for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pulumi_timescaledb.planner import Planned

Verb = Literal["create", "update", "delete"]
VERBS: tuple[Verb, ...] = ("create", "update", "delete")


def as_json(planned: Planned, warnings: Sequence[str] = ()) -> str:
    """The documented form."""
    from pulumi_timescaledb.review import step_document

    counts = Counter(step.verb for step in planned.plan.steps)
    report = {
        "counts": {verb: counts[verb] for verb in VERBS},
        "steps": [step_document(step) for step in planned.plan.steps],
        "refusals": [str(refusal) for refusal in planned.plan.refusals],
        "policies": [finding.to_wire() for finding in planned.findings],
        "warnings": list(warnings),
        "drift": {subject: list(names) for subject, names in planned.standing.drifted.items()},
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def as_text(planned: Planned, warnings: Sequence[str] = ()) -> str:
    """Warnings, every step with its statements, then what stands in the way, then the count."""
    return "\n".join([*(f"warning: {each}" for each in warnings), *_lines(planned)])


def _lines(planned: Planned) -> Iterator[str]:
    from pulumi_timescaledb.policing import advice
    from pulumi_timescaledb.sizes import notes

    for subject, names in planned.standing.drifted.items():
        yield f"changed outside: {subject} ({', '.join(names) or 'it is gone'})"
    for step in planned.plan.steps:
        yield f"{step.verb} {step.subject}"
        for statement in step.statements:
            yield from (f"    -- {note}" for note in notes(statement, step.size))
            yield "    " + statement.sql.replace("\n", "\n    ") + ";"
        yield from (f"    makes again: {spec.KIND} {spec.import_id()}" for spec in step.remade)
    yield from (f"warning: {text}" for text in advice(planned.findings))
    yield from (f"refused: {refusal}" for refusal in planned.plan.refusals)
    counts = Counter(step.verb for step in planned.plan.steps)
    said = ", ".join(f"{counts[verb]} to {verb}" for verb in VERBS if counts[verb])
    yield said or "no change"
