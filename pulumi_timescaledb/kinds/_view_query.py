"""Whether the server takes a view's new query in place of the old one, as far as the two texts tell.

CREATE OR REPLACE VIEW needs the columns that are there, by name, type and place; more may follow (PostgreSQL 17, CREATE
VIEW, Notes). The same items read from the same relations give the same columns. Texts are enough for that and need no
server: a preview says what the update does, though the new column's table has still to get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..sqltext import tokens

_SETS = frozenset({"union", "intersect", "except"})
_LATER = frozenset({"where", "group", "having", "window", "order", "limit", "offset", "fetch", "for"})
_JOINS = frozenset({"join", "inner", "left", "right", "full", "cross", ","})
_PHRASES = frozenset({("distinct", "from"), ("within", "group")})
_KEYWORDS = frozenset({"as", "from", "on", "and", "or", "not", "is", "in", "null", "true", "false", *_JOINS})
_OPEN, _CLOSE = frozenset("(["), frozenset(")]")


@dataclass(frozen=True)
class _Select:
    """The parts of a query at its top, each as texts of tokens; what lies between tokens is one space."""

    before: list[str]
    items: list[list[str]]
    source: list[str]


def columns_added(old: str, new: str) -> int | None:
    """How many columns `new` has after those of `old`; None where the texts do not tell that it begins with them."""
    was, is_ = _parsed(old), _parsed(new)
    if was is None or is_ is None or was.before != is_.before:
        return None
    added = len(is_.items) - len(was.items)
    if is_.items[: len(was.items)] != was.items or not all(map(_has_one_name, was.items)):
        return None
    return None if any(map(_is_many, is_.items)) or not _reads_the_same(was, is_) else added


def _has_one_name(item: list[str]) -> bool:
    """Whether a column's name stays what it is while objects are renamed: the server keeps the name that a function or
    a type gave it, and the new text would give it another. A plain column of a table keeps its own."""
    return "." not in item or "as" in item[-3:-1] or all(t == "." or _is_name(t) for t in item)


def _is_many(item: list[str]) -> bool:
    """Whether an item stands for several columns, or for none."""
    return item[-1:] in ([], ["*"]) or any(pair == (".", "*") for pair in pairwise(t for t in item if t != " "))


def _reads_the_same(old: _Select, new: _Select) -> bool:
    """Whether the new FROM is the old one, perhaps with more joined to it that makes no column of two and has none
    that could be meant by a name that stood for a whole row."""
    added = [token for token in new.source[len(old.source) :] if token != " "]
    if "natural" in new.source or new.source[: len(old.source)] != old.source:
        return False
    if not added:
        return True
    rows = {token for token in old.source if _is_name(token)} - _KEYWORDS
    alone = any(
        token in rows and "." not in (before, after)
        for item in old.items
        for before, token, after in zip(["", *item], item, [*item[1:], ""], strict=False)
    )
    return bool(old.source) and added[0] in _JOINS and "using" not in added and not alone


def _is_name(token: str) -> bool:
    """Whether a token is a name or a word, quoted or not."""
    return token[0] in '_"' or token[0].isalpha() or token[0] > "\x7f"


def _parsed(sql: str) -> _Select | None:
    """The parts of a plain SELECT; None for one that is made of several, and for anything else."""
    marks = _marks(sql)
    texts = [text for text, _ in marks]
    clauses = [(place, text) for place, (text, top) in enumerate(marks) if top and _is_clause(texts, place)]
    selects = [place for place, text in clauses if text == "select"]
    if len(selects) != 1 or any(top and text in _SETS for text, top in marks):
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
        if kind == "comment" or (kind == "other" and token.isspace()):
            if found and found[-1][0] != " ":
                found.append((" ", False))
            continue
        depth -= token in _CLOSE
        # Only ASCII: the server leaves other capitals alone in UTF-8.
        found.append((token.encode().lower().decode() if kind == "word" else token, depth == 0))
        depth += token in _OPEN
    return found


def _is_clause(texts: Sequence[str], place: int) -> bool:
    """Whether a word begins a clause: not as a column's name after AS or a dot, nor in a phrase of an expression."""
    if texts[place] not in {"select", "from", *_LATER}:
        return False
    before = next((text for text in reversed(texts[:place]) if text != " "), "")
    return before not in ("as", ".") and (before, texts[place]) not in _PHRASES


def _trimmed(texts: list[str]) -> list[str]:
    """Without the space at either end."""
    start, end = int(texts[:1] == [" "]), len(texts) - (texts[-1:] == [" "])
    return texts[start:end]
