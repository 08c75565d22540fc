"""Whether the server takes a view's new query in place of the old one, as far as the two texts tell.

CREATE OR REPLACE VIEW needs the columns that are there, by name, type and place; more may follow (PostgreSQL 17, CREATE
VIEW, Notes). The same items read from the same relations give the same columns. Texts are enough for that and need no
server: a preview says what the update does, though the new column's table has still to get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..sqltext import tokens

_SETS = frozenset({"union", "intersect", "except"})
_LATER = frozenset({"where", "group", "having", "window", "order", "limit", "offset", "fetch", "for"})
_JOINS = frozenset({"join", "inner", "left", "right", "full", "cross", ","})
_PHRASES = frozenset({("distinct", "from"), ("within", "group")})
_OPEN, _CLOSE = frozenset("(["), frozenset(")]")


@dataclass(frozen=True)
class _Select:
    """The parts of a query at its top, each as texts of tokens; what lies between tokens is one space."""

    before: list[str]
    items: list[list[str]]
    source: list[str]


def keeps_columns(old: str, new: str) -> bool:
    """Whether `new` begins with the columns of `old`. False means that the texts do not tell."""
    was, is_ = _parsed(old), _parsed(new)
    if was is None or is_ is None or was.before != is_.before:
        return False
    if is_.items[: len(was.items)] != was.items or any(item[-1:] in ([], ["*"]) for item in is_.items):
        return False
    return _reads_the_same(was.source, is_.source)


def _reads_the_same(old: list[str], new: list[str]) -> bool:
    """Whether the new FROM is the old one, perhaps with more joined to it that makes no column of two."""
    added = [token for token in new[len(old) :] if token != " "]
    if "natural" in new or new[: len(old)] != old:
        return False
    return not added or (bool(old) and added[0] in _JOINS and "using" not in added)


def _parsed(sql: str) -> _Select | None:
    """The parts of a plain SELECT; None for one that is made of several, and for anything else."""
    marks = _marks(sql)
    texts = [text for text, _ in marks]
    clauses = [(place, text) for place, (text, top) in enumerate(marks) if top and _is_clause(texts, place)]
    selects = [place for place, text in clauses if text == "select"]
    if len(selects) != 1 or any(text in _SETS for _, text in clauses):
        return None
    start = selects[0]
    later = next((place for place, text in clauses if place > start and text in _LATER), len(marks))
    source = next((place for place, text in clauses if start < place < later and text == "from"), later)
    items: list[list[str]] = [[]]
    for text, top in marks[start + 1 : source]:
        if top and text == ",":
            items.append([])
        else:
            items[-1].append(text)
    return _Select(_trimmed(texts[:start]), [*map(_trimmed, items)], _trimmed(texts[source:later]))


def _marks(sql: str) -> list[tuple[str, bool]]:
    """(token, whether it is in no parenthesis), small letters where case means nothing, one space for all that is
    between."""
    found: list[tuple[str, bool]] = []
    depth = 0
    for kind, token in tokens(sql):
        if kind == "comment" or token.isspace():
            if found and found[-1][0] != " ":
                found.append((" ", False))
            continue
        depth -= token in _CLOSE
        found.append((token.lower() if kind == "word" else token, depth == 0))
        depth += token in _OPEN
    return found


def _is_clause(texts: Sequence[str], place: int) -> bool:
    """Whether a word begins a clause: not as a column's name after AS or a dot, nor in a phrase of an expression."""
    if texts[place] not in {"select", "from", *_SETS, *_LATER}:
        return False
    before = next((text for text in reversed(texts[:place]) if text != " "), "")
    return before not in ("as", ".") and (before, texts[place]) not in _PHRASES


def _trimmed(texts: list[str]) -> list[str]:
    """Without the space at either end."""
    start, end = int(texts[:1] == [" "]), len(texts) - (texts[-1:] == [" "])
    return texts[start:end]
