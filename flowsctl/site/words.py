"""Row-level security in words: the conditions of policies, read by their form.

Only the forms that occur in policies of this kind are known; anything else stays SQL, and a test says so for Flows.
"""

from __future__ import annotations

import re

SETTING = re.compile(
    r"(?P<column>[\w.]+) = \(select nullif\(current_setting\('(?P<setting>[\w.]+)', true\), ''\)::uuid\)\Z", re.I
)
ONE_OF = re.compile(r"(?P<column>[\w.]+) (?:= ANY \(ARRAY\(SELECT|IN \(SELECT) (?P<function>[\w.]+)\(\)\)+\Z", re.I)
EXISTS = re.compile(r"EXISTS \(SELECT FROM (?P<source>.+?) WHERE (?P<rest>.*)\)\Z", re.I | re.S)
JOIN = re.compile(r" JOIN ", re.I)
LINK = re.compile(r"(?P<inner>\w+\.\w+) = (?P<outer>\w+\.\w+)\Z")
NULL = re.compile(r"(?P<column>[\w.]+) IS NULL\Z", re.I)


def in_words(condition: str) -> str:
    """A condition as a clause about a row, in Markdown; the SQL itself, as code, where its form is not known."""
    return _clause(_trimmed(condition)) or f"`{' '.join(condition.split())}`"


def is_known(condition: str) -> bool:
    """Whether all of a condition can be said in words."""
    return bool(_clause(_trimmed(condition)))


def _clause(text: str) -> str:
    for word in ("OR", "AND"):
        parts = _split(text, word)
        if len(parts) > 1:
            clauses = [_clause(_trimmed(part)) for part in parts]
            return f", {word.lower()} ".join(clauses) if all(clauses) else ""
    if text.lower() == "true":
        return "always"
    if found := SETTING.match(text):
        return f"{_column(found['column'])} is the esco in the setting `{found['setting']}`"
    if found := ONE_OF.match(text):
        return f"{_column(found['column'])} is one of `{found['function']}()`"
    if found := NULL.match(text):
        return f"{_column(found['column'])} is empty"
    if found := EXISTS.match(text):
        return _through(found["source"], found["rest"])
    return ""


def _through(source: str, rest: str) -> str:
    """EXISTS over one table or several joined ones, tied to the row by its first condition."""
    tables = [part.split()[0] for part in JOIN.split(source)]
    first, *others = _split(rest, "AND")
    link = LINK.match(_trimmed(first))
    if link is None or not others:
        return ""
    clauses = [_clause(_trimmed(other)) for other in others]
    path = " and ".join(f"`{table.rpartition('.')[2]}`" for table in tables)
    return f"{_column(link['outer'])} leads to {path}, where {' and '.join(clauses)}" if all(clauses) else ""


def _column(name: str) -> str:
    return f"`{name.rpartition('.')[2]}`"


def _trimmed(text: str) -> str:
    text = " ".join(text.split())
    while text.startswith("(") and _closing(text, 0) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closing(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return -1


def _split(text: str, word: str) -> list[str]:
    """The parts between a word that stands outside brackets."""
    parts, depth, start, position = [], 0, 0, 0
    mark = f" {word} "
    while position < len(text):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0 and text[position : position + len(mark)].upper() == mark:
            parts.append(text[start:position])
            start = position + len(mark)
            position = start - 1
        position += 1
    return [*parts, text[start:]]
