"""Run-time settings (GUCs): their names and values as SQL."""

from __future__ import annotations

import re

from .sqltext import literal, qualified

SETTING_NAME = r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$"

LIST_SETTINGS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
"""Settings whose value is a list of names, each quoted on its own: GUC_LIST_QUOTE, as pg_dump lists them
(PostgreSQL 17, src/bin/pg_dump/dumputils.c, variable_is_guc_list_quote). SET search_path TO 'a, b' would name one
schema "a, b"."""

_ELEMENT = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",\s][^",]*?))\s*(?:,|\Z)')


def normal_setting_name(name: str) -> str:
    """Names are case-insensitive; the server itself shows some in mixed case (TimeZone).

    Raises:
        ValueError: it is not the name of a setting.
    """
    if not re.match(SETTING_NAME, name):
        raise ValueError(f'"{name}" is not the name of a setting')
    return name.lower()


def setting_name(name: str) -> str:
    """A setting's name as SQL, quoted part by part."""
    return qualified(*name.split("."))


def setting_value(name: str, value: str) -> str:
    """A value as SQL, in the place after SET name TO."""
    if name.lower() not in LIST_SETTINGS:
        return literal(value)
    return ", ".join(literal(element) for element in _elements(value)) or "''"


def _elements(value: str) -> list[str]:
    """Elements of a list, unquoted: `"$user", public` -> ["$user", "public"]. What is no list stays one element."""
    found: list[str] = []
    position = 0
    while position < len(value.rstrip()):
        match = _ELEMENT.match(value, position)
        if match is None:
            return [value]
        quoted, plain = match.groups()
        found.append(plain.lower() if quoted is None else quoted.replace('""', '"'))
        position = match.end()
    return found
