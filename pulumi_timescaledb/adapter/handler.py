"""What a type of resource must answer, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True)
class Call:
    """One call of the engine. `old` and `new` are inputs; `state` are the outputs the state holds."""

    urn: str
    type: str
    id: str = ""
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    preview: bool = False

    @property
    def stack(self) -> str:
        """`project/stack`, from urn:pulumi:<stack>::<project>::<type>::<name>: two projects may have a stack of one
        name on one database."""
        stack, project = self.urn.split("::")[:2]
        return f"{project}/{stack.removeprefix('urn:pulumi:')}"


@dataclass(frozen=True)
class Difference:
    """What a diff answers: property path -> "add" | "delete" | "update", and whether it needs a replacement."""

    paths: dict[str, str]
    replaces: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """What a read answers."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class Handler(Protocol):
    """One type of resource. Every method may raise ProviderError."""

    async def check(self, session: Session, call: Call) -> tuple[dict[str, Any], list[str]]:
        """(checked inputs, faults)."""

    async def diff(self, session: Session, call: Call) -> Difference:
        """What differs between `call.old` and `call.new`."""

    async def create(self, session: Session, call: Call) -> tuple[str, dict[str, Any]]:
        """(id, outputs)."""

    async def update(self, session: Session, call: Call) -> dict[str, Any]:
        """Outputs."""

    async def delete(self, session: Session, call: Call) -> None:
        """The resource is gone when this returns."""

    async def read(self, session: Session, call: Call) -> Found | None:
        """None: it does not exist."""
