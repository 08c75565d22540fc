"""What a statement costs or destroys, said in one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HazardCode = Literal[
    "data_loss",
    "table_rewrite",
    "long_scan",
    "index_build",
    "authorisation",
    "new_chunks_only",
    "restart_needed",
    "statistics_gone",
    "irreversible",
    "refused",
]


@dataclass(frozen=True)
class Hazard:
    """Something a user will suffer.

    `allow` is the token that permits a data loss; `probe` is a query with one boolean: whether there is
    anything to lose (no probe = assume there is), or whether what refuses the change is the case. `way_out` goes with a
    refusal.
    """

    code: HazardCode
    sentence: str
    allow: str = ""
    probe: str = ""
    way_out: str = ""

    def __str__(self) -> str:
        return f"{self.code.replace('_', ' ')}: {self.sentence}"


def data_loss(sentence: str, allow: str, probe: str = "") -> Hazard:
    """A loss of data, refused unless `allow` is given, the stack is disposable or `probe` answers false."""
    return Hazard("data_loss", sentence, allow, probe)


def refused_if(probe: str, sentence: str, way_out: str) -> Hazard:
    """What only the server's own rows decide: a refusal if `probe` answers true. Where nobody can ask, a preview shows
    it as a hazard and the change itself asks."""
    return Hazard("refused", sentence, probe=probe, way_out=way_out)
