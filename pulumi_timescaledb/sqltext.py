"""Writing identifiers and literals into SQL text, and finding the names an SQL text mentions.

Every identifier is quoted, always: no table of reserved words to keep, no case folding to remember.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

MAX_IDENTIFIER_BYTES = 63
"""NAMEDATALEN - 1 of a stock PostgreSQL build; the server cuts longer names without an error."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")

_QUOTED_OR_ONE = re.compile(r'"(?:[^"]|"")*"|[^"]', re.DOTALL)

# Names are letters, digits, _ and everything beyond ASCII, written as what they are not: a range up to the last
# character takes the compiler milliseconds, each.
_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<dollar>\$(?P<tag>(?:[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*)?)\$.*?\$(?P=tag)\$)
    | (?P<string>[eE]'(?:[^'\\]|\\.|'')*'|(?:[bBnNxX]|[uU]&)?'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[^\x00-@\[-^`{-\x7f][^\x00-\#%-/:-@\[-^`{-\x7f]*)
    | (?P<dot>\.)
    | (?P<other>\s+|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def ident(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(*parts: str) -> str:
    """Dotted, quoted name: `qualified("flows", "escos")` -> `"flows"."escos"`."""
    return ".".join(ident(part) for part in parts)


def literal(value: str | int | float | bool | None) -> str:
    """`value` as an SQL literal. Text with a backslash is written as E'' so that the server's
    standard_conforming_strings does not matter."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    text = value.replace("'", "''")
    return "E'" + text.replace("\\", "\\\\") + "'" if "\\" in text else f"'{text}'"


def dollar_quoted(body: str) -> str:
    """`body` between dollar quotes whose tag does not occur in it."""
    tag, number = "$body$", 0
    while tag in body or body.endswith(tag[:-1]):
        number += 1
        tag = f"$body{number}$"
    return f"{tag}{body}{tag}"


def display(*parts: str) -> str:
    """A name for people and for resource ids: quoted only where it must be."""
    return ".".join(part if _PLAIN.match(part) else ident(part) for part in parts)


def parse_display(text: str) -> tuple[str, ...]:
    """The inverse of `display`.

    Raises:
        ValueError: `text` is not a dotted list of plain or quoted identifiers.
    """
    parts: list[str] = []
    expect_name = True
    for kind, token in tokens(text):
        if kind == "quoted" and expect_name:
            parts.append(token[1:-1].replace('""', '"'))
        elif kind == "word" and expect_name and _PLAIN.match(token):
            parts.append(token)
        elif kind == "dot" and not expect_name:
            expect_name = True
            continue
        else:
            raise ValueError(f"not a dotted name: {text!r}")
        expect_name = False
    if expect_name:
        raise ValueError(f"not a dotted name: {text!r}")
    return tuple(parts)


def split_outside_quotes(text: str, separator: str, times: int = -1) -> list[str]:
    """`text.split(separator, times)` that leaves quoted identifiers whole."""
    parts = [""]
    for match in _QUOTED_OR_ONE.finditer(text):
        if match.group() == separator and times != len(parts) - 1:
            parts.append("")
        else:
            parts[-1] += match.group()
    return parts


def mentioned_names(sql: str) -> Iterator[tuple[str, ...]]:
    """Every dotted name in `sql`, outside strings and comments, as a tuple of its parts.

    A lexer, not a parser: it yields keywords and aliases too, and callers keep those that are declared.
    """
    pieces = list(tokens(sql))
    for chain in _chains(pieces):
        yield tuple(_name(pieces[place]) for place in chain)


def renamed(sql: str, old: tuple[str, ...], new: tuple[str, ...]) -> str:
    """`sql` with `new` for `old` at the head of its dotted names. `old` is (schema,) or (schema, name); with a name,
    columns that are qualified by that name alone follow too where the text has the full one."""
    pieces = list(tokens(sql))
    chains = list(_chains(pieces))
    heads = [[_name(pieces[place]) for place in chain] for chain in chains]
    hits = [(chain, old, new) for chain, head in zip(chains, heads, strict=True) if _starts(head, old)]
    if hits and len(old) > 1:
        hits += [(chain, old[1:], new[1:]) for chain, head in zip(chains, heads, strict=True) if _starts(head, old[1:])]
    for chain, before, after in hits:
        for place, was, name in zip(chain, before, after, strict=False):
            if was != name:
                kind, token = pieces[place]
                pieces[place] = (kind, ident(name) if token.startswith('"') else display(name))
    return "".join(token for _, token in pieces)


def _starts(name: list[str], head: tuple[str, ...]) -> bool:
    """Whether a dotted name starts so; a single name alone is no dotted one."""
    return len(name) > 1 and tuple(name[: len(head)]) == head


def _name(piece: tuple[str, str]) -> str:
    kind, token = piece
    return token[1:-1].replace('""', '"') if kind == "quoted" else token.lower()


def _chains(pieces: list[tuple[str, str]]) -> Iterator[list[int]]:
    """Places of the parts of every dotted name."""
    chain: list[int] = []
    after_dot = False
    for place, (kind, token) in enumerate(pieces):
        if kind in ("word", "quoted"):
            if chain and not after_dot:
                yield chain
                chain = []
            chain.append(place)
            after_dot = False
        elif kind == "dot" and chain:
            after_dot = True
        elif kind != "comment" and not token.isspace():
            if chain:
                yield chain
            chain, after_dot = [], False
    if chain:
        yield chain


def names_renamed(sql: str, renames: Mapping[str, str]) -> str:
    """`sql` with other names for single, undotted names (columns), outside strings and comments. Written as short as
    they can be, quoted or not before."""
    found = list(tokens(sql))
    dots = {place for place, (kind, _) in enumerate(found) if kind == "dot"}
    for place, (kind, token) in enumerate(found):
        if kind in ("word", "quoted") and place + 1 not in dots:
            name = token[1:-1].replace('""', '"') if kind == "quoted" else token.lower()
            if name in renames:
                found[place] = (kind, display(renames[name]))
    return "".join(token for _, token in found)


_SEQUENCE_CALL = re.compile(r"(?:nextval|currval|setval)\s*\(\s*('(?:[^']|'')*')", re.IGNORECASE)
_AS_NAME = re.compile(
    r"('(?:[^']|'')*')\s*::\s*(?:pg_catalog\.)?reg(?:class|type|proc|procedure|role)\b", re.IGNORECASE
)


def mentions_of(sql: str) -> set[tuple[str, ...]]:
    """Every dotted name in `sql`, those that a string names to the server included: nextval('flows.numbers')."""
    names = set(mentioned_names(sql))
    if "val" in sql or "reg" in sql:
        for pattern in (_SEQUENCE_CALL, _AS_NAME):
            for match in pattern.finditer(sql):
                names.update(mentioned_names(match[1][1:-1].replace("''", "'")))
    return names


def without_tail(sql: str) -> str:
    """`sql` without closing semicolons, comments and white space: what follows it then cannot end up in a comment."""
    sql = sql.strip()
    if "--" not in sql and "/*" not in sql:  # without a comment only a semicolon can end it
        while sql.endswith(";"):
            sql = sql[:-1].rstrip()
        return sql
    if not sql.endswith((";", "*/")) and "--" not in sql.rsplit("\n", 1)[-1]:
        return sql  # most texts: nothing to cut, and no need to read them token by token
    end = position = 0
    for kind, token in tokens(sql):
        position += len(token)
        if kind != "comment" and token != ";" and not token.isspace():
            end = position
    return sql[:end]


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of every token; their texts joined are `sql`. Kinds: comment, dollar, string, quoted, word, dot,
    other."""
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        assert match is not None  # the last alternative takes any character
        assert match.lastgroup is not None
        if match.lastgroup == "block":
            end = _comment_end(sql, position)
            yield "comment", sql[position:end]
        else:
            end = match.end()
            yield match.lastgroup, match.group()
        position = end


def _comment_end(sql: str, start: int) -> int:
    """Where the comment that starts at `start` ends; PostgreSQL's block comments nest."""
    depth, position = 0, start
    for mark in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if mark.group() == "/*" else -1
        position = mark.end()
        if depth == 0:
            return position
    return len(sql)
