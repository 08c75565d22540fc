"""Which policies hold at which level, whom they spare, and what they find."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Self, cast, get_args

from . import policies
from .policy import Finding, Level, Policy, subject_of

if TYPE_CHECKING:
    from .whole import Whole

LEVELS: tuple[Level, ...] = get_args(Level)
SHOWN_OF_EACH = 10
"""Findings of one policy that a text lists; programs get all."""


class PolicyError(ValueError):
    """A policy's name, level or exemption that cannot be used; one sentence."""


@dataclass(frozen=True)
class Policies:
    """What a program chooses. Without a choice every policy has its own level and nobody is spared.

    Raises:
        PolicyError: there is no policy of a name, no level of a name, or an exemption without a reason.
    """

    levels: Mapping[str, Level] = field(default_factory=dict)
    """Level by policy name."""
    exempt: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By policy name: the objects it says nothing of, as "Kind id", each with the reason."""
    exposed: tuple[str, ...] = ()
    """Schemas whose objects an API shows to its callers; policies on the API look at these alone."""

    def __post_init__(self) -> None:
        for name in (*self.levels, *self.exempt):
            known_policy(name)
        for name, level in self.levels.items():
            known_level(name, level)
        for name, spared in self.exempt.items():
            for subject, reason in spared.items():
                if not reason.strip():
                    raise PolicyError(f"policy {name} spares {subject} without a reason: say why")

    def at(self, levels: Mapping[str, Level]) -> Policies:
        """These, with other levels where `levels` names them."""
        return Policies({**self.levels, **levels}, self.exempt, self.exposed)

    def level(self, name: str) -> Level:
        """The level in force."""
        return self.levels.get(name) or policy(name).level

    def findings(self, whole: Whole) -> list[Finding]:
        """Everything that breaks a policy, policies in alphabetical order, and exemptions that spare nothing."""
        return [finding for name in names() for finding in self._of(name, whole)]

    def _of(self, name: str, whole: Whole) -> Iterator[Finding]:
        if self.levels.get(name) == "off":
            return
        rule, level = policy(name), self.level(name)
        unused = dict(self.exempt.get(name, {}))
        for spec, fault in rule.find(whole, frozenset(self.exposed)):
            subject = subject_of(spec)
            if subject in self.exempt.get(name, {}):
                unused.pop(subject, None)
            else:
                yield Finding(name, level, subject, fault, rule.remedy)
        for subject in unused:
            yield Finding(name, "advisory", subject, "is spared and breaks nothing", "Take the exemption out.")

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON, as the Manifest takes it; empty where nothing was chosen."""
        exempt = {name: dict(spared) for name, spared in self.exempt.items()}
        found = {"levels": dict(self.levels), "exempt": exempt, "exposedSchemas": list(self.exposed)}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_wire(cls, properties: Mapping[str, Any] | None) -> Self:
        """The inverse of `to_wire`.

        Raises:
            PolicyError: something in it is unknown or has the wrong form.
        """
        given = dict(properties or {})
        levels, exempt = given.pop("levels", None) or {}, given.pop("exempt", None) or {}
        exposed = given.pop("exposedSchemas", None) or []
        if given:
            raise PolicyError(
                f"policies has no property {', '.join(sorted(given))}: it has levels, exempt and exposedSchemas"
            )
        if not isinstance(levels, Mapping):
            raise PolicyError("policies.levels must be an object: level by policy name")
        spares = isinstance(exempt, Mapping) and all(
            isinstance(spared, Mapping) and all(isinstance(reason, str) for reason in spared.values())
            for spared in exempt.values()
        )
        if not spares:
            raise PolicyError("policies.exempt must be an object: by policy name an object of reasons by object")
        if not isinstance(exposed, list) or not all(isinstance(each, str) for each in exposed):
            raise PolicyError("policies.exposedSchemas must be a list of names")
        return cls(cast("dict[str, Level]", dict(levels)), exempt, tuple(exposed))


@cache
def names() -> tuple[str, ...]:
    """Every policy."""
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(policies.__path__)))


def policy(name: str) -> Policy:
    """The policy of a name.

    Raises:
        PolicyError: there is none.
    """
    known_policy(name)
    found = importlib.import_module(f"{policies.__name__}.{name.replace('-', '_')}").POLICY
    assert isinstance(found, Policy)
    return found


def known_policy(name: str) -> None:
    """Raises PolicyError, with the nearest name, unless there is a policy of that name."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1, 0.4)
        hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(names())}."
        raise PolicyError(f'there is no policy "{name}". {hint}')


def known_level(name: str, level: object) -> None:
    """Raises PolicyError unless `level` is one."""
    if level not in LEVELS:
        raise PolicyError(f'policy {name} has the level "{level}"; it may be {", ".join(LEVELS)}')


def advice(findings: Iterable[Finding]) -> list[str]:
    """What is only advised, for people: at most SHOWN_OF_EACH of each policy."""
    return _told(finding for finding in findings if finding.level == "advisory")


def refusals(findings: Iterable[Finding]) -> list[str]:
    """What stands in the way, with the way out."""
    return [
        f"{finding} Or exempt it with the reason, or choose another level for the policy."
        for finding in findings
        if finding.level == "mandatory"
    ]


def _told(findings: Iterable[Finding]) -> list[str]:
    by_policy: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_policy[finding.policy].append(finding)
    lines = []
    for name, found in by_policy.items():
        lines += [str(finding) for finding in found[:SHOWN_OF_EACH]]
        if len(found) > SHOWN_OF_EACH:
            lines.append(f"{name}: and {len(found) - SHOWN_OF_EACH} more.")
    return lines
