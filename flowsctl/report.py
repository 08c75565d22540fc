"""What happened in a run, gathered from the engine's events; the documented `--json` form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowsctl.restarts import hazard

if TYPE_CHECKING:
    from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata

COUNTED = ("create", "update", "replace", "delete", "import", "same")
UNCHANGED = ("same", "read", "refresh")
# The engine announces a replacement as three steps; the logical one stands for all.
PARTS_OF_REPLACE = {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}
MEANINGS = {"import-replacement": "replace", "read-replacement": "replace", "discard": "delete"}
COLOUR = re.compile(r"<\{%[^%]*%\}>")
# What the engine and the Automation API put before a program's own words.
PREFIXES = re.compile(
    r"^(?:(?:error|an unhandled error occurred|python inline source runtime error"
    r"|[\w:$]+ resource '[^']*' has a problem): )+"
)
PROVIDER_TYPE = "timescaledb:"
REFUSED = "refused"
"""The provider's passing message before an error that is a refusal."""


@dataclass
class Change:
    """One resource in a run. `op` is one of COUNTED or UNCHANGED; `sql` are the statements shown for it."""

    urn: str
    op: str
    diff: list[str] = field(default_factory=list)
    sql: list[str] = field(default_factory=list)

    @property
    def type(self) -> str:
        """The resource's own type, without its parents'."""
        return self.urn.split("::")[2].rsplit("$", 1)[-1]

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.urn.split("::", 3)[3]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "op": self.op,
            "diff": self.diff,
            "sql": self.sql,
        }


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, the program or the provider; `urn` is empty where it has no resource."""

    severity: str
    message: str
    urn: str = ""
    traceback: str = field(default="", compare=False)


Listener = Callable[[str, Change], None]


class Report:
    """Collects events. `listener` is told `start`, `done`, `failed` and `sql`, each with the resource."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.resources: dict[str, Change] = {}
        self.diagnostics: list[Diagnostic] = []
        self.seconds: int | None = None
        self.refused = False
        """Whether the provider declined, by its rules or to protect data."""
        self._listener = listener or (lambda _what, _change: None)
        self._early_sql: dict[str, list[str]] = {}

    def listen(self, listener: Listener) -> None:
        """Tell one more listener what the first is told."""
        first = self._listener

        def both(what: str, change: Change) -> None:
            first(what, change)
            listener(what, change)

        self._listener = both

    def on_event(self, event: EngineEvent) -> None:
        """Take in one engine event; called from one thread at a time."""
        if event.resource_pre_event is not None:
            self._step(event.resource_pre_event.metadata, "start")
        elif event.res_outputs_event is not None:
            self._step(event.res_outputs_event.metadata, "done")
        elif event.res_op_failed_event is not None:
            self._step(event.res_op_failed_event.metadata, "failed")
        elif event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)
        elif event.summary_event is not None:
            self.seconds = event.summary_event.duration_seconds

    @property
    def changes(self) -> list[Change]:
        """The resources that change, in the engine's order."""
        return [change for change in self.resources.values() if change.op not in UNCHANGED]

    @property
    def counts(self) -> dict[str, int]:
        """How many resources per kind of change."""
        found = Counter(change.op for change in self.resources.values())
        unchanged = sum(found[op] for op in UNCHANGED)
        return {op: unchanged if op == "same" else found[op] for op in COUNTED}

    @property
    def errors(self) -> list[Diagnostic]:
        """Messages of severity error, the engine's closing `update failed` left out."""
        return [
            found
            for found in self.diagnostics
            if found.severity == "error" and found.message not in ("update failed", "preview failed")
        ]

    def as_json(self) -> dict[str, Any]:
        """The documented form of `preview --json` and of the other runs."""
        return {
            "counts": self.counts,
            "changes": [change.as_json() for change in self.changes],
            "diagnostics": [
                {"severity": found.severity, "message": found.message, "urn": found.urn} for found in self.diagnostics
            ],
        }

    def _step(self, metadata: StepEventMetadata, what: str) -> None:
        op = str(getattr(metadata.op, "value", metadata.op))
        if op in PARTS_OF_REPLACE:
            return
        change = self.resources.setdefault(metadata.urn, Change(metadata.urn, op))
        change.op = MEANINGS.get(op, op)
        change.diff = sorted({*change.diff, *(metadata.detailed_diff or {}), *(metadata.diffs or [])})
        change.sql.extend(self._early_sql.pop(metadata.urn, []))
        change.sql.extend(line for line in hazard(change.type, change.name, change.op) if line not in change.sql)
        self._listener(what, change)

    def _diagnostic(self, event: DiagnosticEvent) -> None:
        message = COLOUR.sub("", event.message).strip()
        urn = event.urn or ""
        if event.ephemeral:
            self.refused |= message == REFUSED
            return
        if not message:
            return
        if event.severity.startswith("info") and urn and Change(urn, "").type.startswith(PROVIDER_TYPE):
            self._sql(urn, message)
        elif event.severity != "debug":
            severity = "info" if event.severity.startswith("info") else event.severity
            sentence, _, traceback = message.partition("\nTraceback (most recent call last)")
            found = Diagnostic(severity, PREFIXES.sub("", sentence).strip(), urn, traceback)
            if found not in self.diagnostics:
                self.diagnostics.append(found)

    def _sql(self, urn: str, text: str) -> None:
        """The engine asks for a diff twice, and the message may come before the step it belongs to."""
        change = self.resources.get(urn)
        statements = change.sql if change is not None else self._early_sql.setdefault(urn, [])
        if text not in statements:
            statements.append(text)
            if change is not None:
                self._listener("sql", change)
