"""A plan that somebody has reviewed: its file, whether it still holds, and what it permits.

The file is JSON and holds no secret: statements stand in it as previews show them. It says what it was made against, so
that an update carries out exactly what was read or refuses.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .errors import Declined
from .kinds.base import shown
from .plan import Step
from .planner import Planned
from .sizes import Size, hazards
from .specs import Spec
from .statement import Statement
from .whole import Whole

FORMAT = 1
PLAN_FILE = "PULUMI_TIMESCALEDB_PLAN"
"""Environment variable: the plan file an update is held to."""
PLAN_DIGEST = "PULUMI_TIMESCALEDB_PLAN_SHA256"
"""Environment variable: SHA-256 of that file as it was checked before the engine started."""
_AGAIN = "Make a new plan with `flowsctl plan --out`, review it and run the update with that."

Document = dict[str, Any]


def document(planned: Planned, new: Whole, stack: str, allowed: Iterable[str]) -> Document:
    """The plan as its file holds it."""
    return {
        "format": FORMAT,
        "provider": __version__,
        "stack": stack,
        "database": planned.identity,
        "declarations": hashlib.sha256(new.pack().encode()).hexdigest(),
        "allow": sorted(allowed),
        "steps": [_step(step) for step in planned.plan.steps],
    }


def step_document(step: Step) -> Document:
    """One step as plans are written for programs."""
    return {
        "verb": step.verb,
        "kind": step.spec.KIND,
        "id": step.spec.import_id(),
        "statements": [_statement(statement, step.size) for statement in step.statements],
        "remade": [f"{spec.KIND} {spec.import_id()}" for spec in step.remade],
        "size": step.size.to_wire() if step.size is not None else None,
    }


def _step(step: Step) -> Document:
    stands = [step.before, *step.remade] if step.before is not None else []
    digests = {f"{spec.KIND} {spec.import_id()}": _digest(spec) for spec in stands if spec is not None}
    return {**step_document(step), "stands": digests}


def _statement(statement: Statement, size: Size | None) -> Document:
    return {
        "sql": statement.sql,
        "lock": str(statement.lock),
        "hazards": hazards(statement, size),
        "transactional": statement.transactional,
    }


def _digest(spec: Spec) -> str:
    text = json.dumps(spec.comparable().to_wire(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write(path: Path, plan: Document) -> None:
    """Writes a plan file, readable by its owner only."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(plan, file, indent=2, ensure_ascii=False)
        file.write("\n")
    partial.replace(path)


class Reviewed:
    """A plan file that was read. `digest`: SHA-256 of the file, for the environment of whoever is held to it."""

    def __init__(self, path: Path, digest: str = "") -> None:
        """Reads the file.

        Raises:
            Declined: it cannot be read, is of another format, or is not the file that `digest` stands for.
        """
        try:
            content = path.read_bytes()
            self.document: Document = json.loads(content)
            written = self.document["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Declined(f"The plan {path} cannot be read: {error}. {_AGAIN}") from None
        self.path = path
        self.digest = hashlib.sha256(content).hexdigest()
        if written != FORMAT:
            raise Declined(f"The plan {path} has format {written} and this version reads {FORMAT}. {_AGAIN}")
        if digest and digest != self.digest:
            raise Declined(f"The plan {path} changed after it was checked. {_AGAIN}")
        self._steps = {(step["kind"], step["id"]): step for step in self.document["steps"]}

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Reviewed | None:
        """The plan this process is held to, if there is one.

        Raises:
            Declined: see the constructor.
        """
        path = environment.get(PLAN_FILE)
        return cls(Path(path), environment.get(PLAN_DIGEST, "")) if path else None

    def environment(self) -> dict[str, str]:
        """What `of_environment` reads."""
        return {PLAN_FILE: str(self.path.resolve()), PLAN_DIGEST: self.digest}

    def moved(self, now: Document) -> list[str]:
        """Why the plan no longer holds, one sentence each; `now` is the plan made anew."""
        found = [
            sentence
            for key, sentence in (
                ("stack", "it was made for another stack"),
                ("database", "it was made against another database"),
                ("declarations", "the program's declarations have changed"),
                ("allow", "the permitted losses have changed"),
            )
            if self.document.get(key) != now[key]
        ]
        fresh = {(step["kind"], step["id"]): step for step in now["steps"]}
        if now["database"] is None:  # nothing stood there, and a server that was made since has things of its own
            done = {key: step for key, step in fresh.items() if not self._unread(key, _sql(step))}
            fresh = {**self._steps, **{key: step for key, step in fresh.items() if key not in done}}
        for key in [*self._steps, *(key for key in fresh if key not in self._steps)]:
            before, after = self._steps.get(key), fresh.get(key)
            if _binding(before) != _binding(after):
                found.append(f"{' '.join(key)} {_difference(before, after)}")
        if not found and now["database"] is not None and list(self._steps) != list(fresh):
            found.append("the order of its steps has changed")
        return found

    def demand(self, now: Document) -> None:
        """Raises Declined unless the plan still holds."""
        if moved := self.moved(now):
            more = f" and {len(moved) - 5} more" if len(moved) > 5 else ""
            raise Declined(f"The plan {self.path.name} no longer holds: {'; '.join(moved[:5])}{more}. {_AGAIN}")

    def permit(self, spec: Spec, statements: Sequence[Statement]) -> None:
        """Raises Declined unless these statements are the object's reviewed ones, in their order. Some may be missing:
        what is already as it should be is not done again."""
        texts = [statement.sql for statement in statements]
        if unread := self._unread((spec.KIND, spec.import_id()), texts):
            raise Declined(
                f"{shown(spec)}: this statement is not in the reviewed plan {self.path.name}, so nothing of this "
                f"change was run: {' '.join(unread.split())[:300]} {_AGAIN}"
            )

    def _unread(self, key: tuple[str, str], texts: Sequence[str]) -> str:
        """The first of the statements that is not in the plan of that object, or not in this place."""
        reviewed = iter(_sql(self._steps[key]) if key in self._steps else ())
        return next((text for text in texts if text not in reviewed), "")  # `in` consumes what comes before it


def _sql(step: Document) -> list[str]:
    return [statement["sql"] for statement in step["statements"]]


def _binding(step: Document | None) -> Any:
    """What of a step may not change between review and update: everything but how much there is by now."""
    if step is None:
        return None
    statements = [{**statement, "hazards": None} for statement in step["statements"]]
    return {**step, "statements": statements, "size": None}


def _difference(before: Document | None, after: Document | None) -> str:
    if before is None:
        return "would change now and was not in it"
    if after is None:
        return "needs no change any more"
    if before["stands"] != after["stands"]:
        return "is not as it was then"
    return "would be changed by other statements now"
