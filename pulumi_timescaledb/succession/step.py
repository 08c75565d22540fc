"""Where a succession stands: kept in the ledger entry of its lowest aggregate, in the column `step`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from ..ledger import Entry

Phase = Literal["built", "swapped"]
_MARK = "succession"


@dataclass(frozen=True)
class Step:
    """`built`: so many new aggregates stand, the lowest first, and are filled up to `done`. `swapped`: the new ones are
    in place, the old ones wait to be dropped.

    `digest` stands for what is wanted and makes the names. `stand_ins` and `old` are (schema, name) of what to drop
    when the succession is given up, or is over. `source_from` is where the source's oldest chunk began at first.
    """

    digest: str
    phase: Phase
    built: int
    stand_ins: tuple[tuple[str, str], ...]
    old: tuple[tuple[str, str], ...]
    done: Mapping[str, str] = field(default_factory=dict)
    source_from: str | None = None

    @classmethod
    def of(cls, entry: Entry | None) -> Step | None:
        """The step in a ledger entry, if a succession is under way there."""
        if entry is None or not entry.step or not entry.step.startswith("{"):
            return None
        content = json.loads(entry.step)
        if content.pop("what", None) != _MARK:
            return None
        for name in ("stand_ins", "old"):
            content[name] = tuple((schema, relation) for schema, relation in content[name])
        return cls(**content)

    def text(self) -> str:
        """As the ledger keeps it."""
        return json.dumps({"what": _MARK, **asdict(self)}, ensure_ascii=False, sort_keys=True)

    def filled_to(self, key: str, until: str) -> Step:
        """The aggregate of that import key is filled up to that time."""
        return replace(self, done={**self.done, key: until})
