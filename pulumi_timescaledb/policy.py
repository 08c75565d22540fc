"""What a policy is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .specs import Spec
    from .whole import Whole

Level = Literal["advisory", "mandatory", "off"]
"""advisory: a warning; mandatory: nothing runs while it is broken; off: not looked at."""
Offences = Iterator[tuple["Spec", str]]
"""Objects that break a policy, each with what is wrong: the rest of a sentence that begins with its name."""


@dataclass(frozen=True)
class Policy:
    """One policy. `find` gets every declaration and the schemas that an API shows to its callers."""

    level: Level
    """The level where a program says nothing."""
    demand: str
    """What it wants, in one sentence."""
    harm: str
    """What happens to those who do without."""
    remedy: str
    """What to do about an offence, in one sentence."""
    source: str
    """Where the harm is described or was measured."""
    find: Callable[[Whole, frozenset[str]], Offences]


@dataclass(frozen=True)
class Finding:
    """An object that breaks a policy, at the level that is in force."""

    policy: str
    level: Level
    subject: str
    """The object as "Kind id": the key of an exemption."""
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.policy}: {self.subject} {self.fault}. {self.remedy}"

    def to_wire(self) -> dict[str, str]:
        """Plain JSON."""
        return {
            "policy": self.policy,
            "level": self.level,
            "subject": self.subject,
            "fault": self.fault,
            "remedy": self.remedy,
        }


def subject_of(spec: Spec) -> str:
    """How findings and exemptions name an object."""
    return f"{spec.KIND} {spec.import_id()}"
