"""A plan as one SQL text that psql runs: for reading, for a rehearsal on a copy."""

from __future__ import annotations

from collections.abc import Iterator

from .executor import DDL_SESSION
from .plan import Plan, Step
from .sizes import notes
from .statement import in_groups

HEADER = """\
-- What `up` would run, in an order that works; what is one transaction there is one here.
-- For reading and for rehearsals on a copy: run by hand it leaves no record, so use `flowsctl up` on the real database.
\\set ON_ERROR_STOP on"""


def script(plan: Plan) -> str:
    """Every statement with its object, lock and hazards. Statements that hold a secret are comments."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    if not plan.steps and not plan.refusals:
        yield "-- no change"
        return
    yield HEADER
    for refusal in plan.refusals:
        yield _comment(f"refused: {refusal}")
    for number, step in enumerate(plan.steps, 1):
        yield ""
        yield _comment(f"{number} of {len(plan.steps)}: {step.verb} {step.subject}")
        for spec in step.remade:
            yield _comment(f"makes again: {spec.KIND} {spec.import_id()}")
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    for together, statements in in_groups(step.statements):
        if any(statement.first for statement in statements):
            yield from ("-- the first command of a session: psql -X", "\\connect")
        else:
            yield from ("BEGIN;", f"{DDL_SESSION};") if together else ("SET search_path TO public;",)
        for statement in statements:
            yield from (_comment(note) for note in notes(statement, step.size))
            if statement.secrets:
                yield _comment(f"not shown, it holds a secret: {statement.sql}")
            else:
                last = statement.sql.rsplit("\n", 1)[-1]
                yield statement.sql + ("\n;" if "--" in last else ";")
        yield "COMMIT;" if together else "RESET search_path;"


def _comment(text: str) -> str:
    return "-- " + text.replace("\n", "\n-- ")
