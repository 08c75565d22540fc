"""Names of data types, in the one form that the server writes."""

from __future__ import annotations

import re
from functools import lru_cache

_TYPE_ALIASES = {
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "float8": "double precision",
    "float": "double precision",
    "float4": "real",
    "bool": "boolean",
    "decimal": "numeric",
    "varchar": "character varying",
    "char": "character",
    "varbit": "bit varying",
}


_TIME = re.compile(r"(timestamp|timestamptz|time|timetz) ?(\(\d\))? ?(?:(with|without) time zone)? ?((?:\[\d*\])*)\Z")
_FLOAT = re.compile(r"float ?\((\d+)\) ?((?:\[\d*\])*)\Z")
"""float(n) is real up to 24 bits and double precision beyond (PostgreSQL documentation, 8.1.3)."""


@lru_cache(4096)
def normal_type(text: str) -> str:
    """A type name as format_type() writes it: "timestamptz[]" -> "timestamp with time zone[]".

    Quoted and schema-qualified names pass unchanged.
    """
    text = " ".join(text.split())
    if not text:
        raise ValueError("the type cannot be empty")
    if '"' in text or "." in text:
        return text
    head = text.lower()
    if match := _TIME.match(head):
        base, precision, zone, rest = match.groups(default="")
        zoned = base.endswith("tz") or zone == "with"
        return f"{base.removesuffix('tz')}{precision} {'with' if zoned else 'without'} time zone{rest}"
    if match := _FLOAT.match(head):
        return ("real" if int(match[1]) <= 24 else "double precision") + match[2]
    base, rest = head, ""
    for mark in ("(", "["):
        position = base.find(mark)
        if position >= 0:
            base, rest = base[:position].rstrip(), base[position:] + rest
    return _TYPE_ALIASES.get(base, base) + rest
