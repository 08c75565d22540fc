"""What there is, object by object, and what becomes of it: so that nothing is dropped without a word.

The census asks the catalog by other queries than the kinds' own: an object that a kind overlooks shows here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..capabilities import ServerCapabilities
from ..catalog import Row
from ..render import render
from ..specs import Reference, Spec
from ..sqltext import display

_EVERYWHERE = ("relations", "columns", "constraints", "indexes", "triggers", "names", "rights", "database")


def queries(schemas: Sequence[str], capabilities: ServerCapabilities) -> list[str]:
    """The census of these schemas and of what belongs to no schema."""
    sources = [*_EVERYWHERE, *(["timescaledb"] if capabilities.timescaledb else [])]
    return [render(f"inspect/{source}", schemas=schemas, server=capabilities) for source in sources]


@dataclass(frozen=True)
class Object:
    """One row of the census. `partly`: it is declared, but for what `why` says; `no`: it is not declared."""

    class_: str
    name: str
    fate: Literal["declared", "automatic", "partly", "no"]
    why: str
    reference: Reference | None = None

    @classmethod
    def from_row(cls, row: Row) -> Object:
        """From a row of the queries above."""
        name = f"{display(row['schema'])}.{row['name']}" if row["schema"] else row["name"]
        reference = Reference(row["kind"], tuple(row["identity"])) if row["kind"] else None
        return cls(row["class"], name, row["fate"], row["why"], reference)


@dataclass(frozen=True)
class Left:
    """Something that the package does not say, or not wholly."""

    class_: str
    name: str
    why: str
    partly: bool = False
    """Whether the object is declared, but for what `why` says."""


@dataclass(frozen=True)
class Count:
    """Of one class: objects on the server; of them declared, automatic, and left."""

    class_: str
    found: int
    declared: int
    automatic: int
    left: int


def left_out(objects: Iterable[Object]) -> list[Left]:
    """What the census itself says cannot be declared."""
    return [
        Left(each.class_, each.name, each.why, each.fate == "partly")
        for each in objects
        if each.fate in ("partly", "no")
    ]


def overlooked(objects: Iterable[Object], written: Iterable[Spec], dropped: Iterable[Reference]) -> list[Left]:
    """Objects that the census counts as declarable and that were neither written nor reported."""
    known = {spec.reference() for spec in written} | set(dropped)
    return [
        Left(each.class_, each.name, f"the provider's {each.reference.kind} does not see it; please report this")
        for each in objects
        if each.reference is not None and each.fate == "declared" and each.reference not in known
    ]


def counts(objects: Iterable[Object], written: Iterable[Spec]) -> list[Count]:
    """The sums, by class. Found is declared + automatic + left, or something was lost on the way."""
    known = {spec.reference() for spec in written}
    sums: dict[str, Counter[str]] = {}
    for each in objects:
        if each.fate == "partly":
            continue
        fate = each.fate if each.fate != "declared" or each.reference in known else "no"
        sums.setdefault(each.class_, Counter())[fate] += 1
    return [
        Count(name, found.total(), found["declared"], found["automatic"], found["no"])
        for name, found in sorted(sums.items())
    ]
