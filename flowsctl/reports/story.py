"""What a plan tells its reader, apart from how it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flowsctl.reports.picture import Picture, picture
from pulumi_timescaledb.plan import Step
from pulumi_timescaledb.planner import Planned
from pulumi_timescaledb.policing import advice
from pulumi_timescaledb.policy import Finding
from pulumi_timescaledb.review import step_document
from pulumi_timescaledb.specs import Reference
from pulumi_timescaledb.whole import Whole

SIGNS = {"create": "+", "update": "~", "delete": "-"}
_PLURALS = {
    "table_rewrite": ("table rewrite", "table rewrites"),
    "long_scan": ("long scan", "long scans"),
    "index_build": ("index build", "index builds"),
    "new_chunks_only": ("change of new chunks only", "changes of new chunks only"),
    "restart_needed": ("restart needed", "restarts needed"),
    "statistics_gone": ("loss of statistics", "losses of statistics"),
    "irreversible": ("irreversible change", "irreversible changes"),
}


@dataclass(frozen=True)
class Change:
    """One object and what happens to it."""

    verb: str
    kind: str
    id: str
    size: str
    statements: list[dict[str, Any]]
    remade: list[str]
    hazards: list[str]
    locks: list[str]

    @property
    def sign(self) -> str:
        """`+`, `~` or `-`."""
        return SIGNS[self.verb]

    @property
    def notes(self) -> str:
        """Strongest lock, hazards by name and size, in one line."""
        names = dict.fromkeys(hazard.split(":", 1)[0] for hazard in self.hazards)
        return " · ".join(filter(None, [self.locks[-1] if self.locks else "", *names, self.size]))


@dataclass(frozen=True)
class Story:
    """Everything a report shows."""

    stack: str
    headline: str
    changes: list[Change]
    refusals: list[str]
    drift: dict[str, list[str]]
    picture: Picture = field(default_factory=Picture)
    findings: list[Finding] = field(default_factory=list)
    """What breaks a policy; those of mandatory ones stand among the refusals too."""

    @property
    def advice(self) -> list[str]:
        """What policies only advise."""
        return advice(self.findings)

    @property
    def by_kind(self) -> Iterator[tuple[str, list[Change]]]:
        """Kinds in alphabetical order, each with its changes in the order they are made."""
        for kind in sorted({change.kind for change in self.changes}):
            yield kind, [change for change in self.changes if change.kind == kind]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "stack": self.stack,
            "headline": self.headline,
            "counts": _counts(self.changes),
            "changes": [
                {
                    "verb": each.verb,
                    "kind": each.kind,
                    "id": each.id,
                    "size": each.size or None,
                    "statements": each.statements,
                    "remade": each.remade,
                }
                for each in self.changes
            ],
            "refusals": self.refusals,
            "policies": [finding.to_wire() for finding in self.findings],
            "drift": self.drift,
        }


def tell(planned: Planned, new: Whole, stack: str, refusals: Iterable[str] = ()) -> Story:
    """The story of a plan; `refusals` beyond its own."""
    changes = [_change(step) for step in planned.plan.steps]
    refused = [*dict.fromkeys([*(str(each) for each in planned.plan.refusals), *refusals])]
    return Story(
        stack,
        _headline(planned.plan.steps, refused, planned.findings),
        changes,
        refused,
        {subject: list(names) for subject, names in planned.standing.drifted.items()},
        picture(verbs(planned.plan.steps), planned.standing.applied, new),
        planned.findings,
    )


def verbs(steps: Iterable[Step]) -> dict[Reference, str]:
    """What happens to which object."""
    return {step.spec.reference(): step.verb for step in steps}


def _change(step: Step) -> Change:
    document = step_document(step)
    statements = document["statements"]
    strongest = sorted({str(each.lock) for each in step.statements if each.lock}, key=_strength)
    return Change(
        step.verb,
        document["kind"],
        document["id"],
        str(step.size) if step.size is not None else "",
        statements,
        document["remade"],
        list(dict.fromkeys(hazard for each in statements for hazard in each["hazards"])),
        strongest,
    )


def _strength(lock: str) -> int:
    from pulumi_timescaledb.statement import LockLevel

    return [str(level) for level in LockLevel].index(lock)


def _counts(changes: list[Change]) -> dict[str, int]:
    counts = Counter(change.verb for change in changes)
    return {verb: counts[verb] for verb in SIGNS}


def _headline(steps: list[Step], refusals: list[str], findings: Iterable[Finding]) -> str:
    """One line: `+3 ~2 -0 · 1 table rewrite · no data loss · 2 warnings`."""
    warnings = sum(finding.level == "advisory" for finding in findings)
    warned = [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    if not steps and not refusals:
        return " · ".join(["no change", *warned])
    counts = Counter(step.verb for step in steps)
    codes = Counter(hazard.code for step in steps for each in step.statements for hazard in each.hazards)
    parts = [" ".join(f"{sign}{counts[verb]}" for verb, sign in SIGNS.items())]  # type: ignore[index]
    for code, words in _PLURALS.items():
        if number := codes[code]:  # type: ignore[index]
            parts.append(f"{number} {words[number > 1]}")
    losses = codes["data_loss"]
    parts.append(f"{losses} possible data loss{'es' if losses > 1 else ''}" if losses else "no data loss")
    if refusals:
        parts.append(f"{len(refusals)} refused")
    return " · ".join([*parts, *warned])
