"""Identifiers of demo rows: uuid5 of what the row is, so that any later run can tell demo rows from others.

They do not depend on the seed or on the size of a load: `--replace` finds what another seed or size has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d2c9e-3a57-5d0b-9c41-f10c5de30da7")

KNOWN_CODES = ("WLCE", "HMCE")
MAX_ESCOS = 50
MAX_METERS = 2000
"""Per esco. Bounds what has to be enumerated to find the rows of an earlier load."""
MAX_DAYS = 730
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def uid(kind: str, *parts: object) -> UUID:
    """The id of one demo row, for example `uid("meter", "WLCE", 7)`."""
    return uuid5(NAMESPACE, "/".join([kind, *map(str, parts)]))


def esco_codes(count: int) -> list[str]:
    """The codes of the first `count` demo escos: WLCE, HMCE, then DAAE, DABE and so on."""
    generated = (f"D{ALPHABET[n // 26]}{ALPHABET[n % 26]}E" for n in range(MAX_ESCOS))
    return [*KNOWN_CODES, *generated][:count]


def is_demo_esco(esco: UUID, code: str) -> bool:
    """Whether an esco row is one that demo load has made."""
    return esco == uid("esco", code)


def all_ids(code: str, kind: str) -> Iterator[UUID]:
    """Every id that demo load could have given to rows of a kind in an esco, whatever the size of the load."""
    if kind == "register":
        yield from (uid(kind, code, n, element) for n in range(MAX_METERS) for element in ("A", "B", "SINGLE"))
    else:
        yield from (uid(kind, code, n) for n in range(MAX_METERS))
