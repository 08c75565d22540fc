"""Which declaration goes where: a package per schema, a module per area, as a person would sort them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from ..specs import Spec

AREAS = {
    "types": ("Enum", "Domain"),
    "sequences": ("Sequence", "SequenceOwnership"),
    "tables": ("Schema", "Table"),
    "keys": ("ForeignKey",),
    "indexes": ("Index",),
    "timeseries": ("Hypertable", "Columnstore", "RetentionPolicy"),
    "aggregates": ("ContinuousAggregate", "RefreshPolicy"),
    "views": ("View", "MaterializedView"),
    "functions": ("Function",),
    "triggers": ("Trigger",),
    "row_security": ("RlsPolicy",),
    "jobs": ("Job",),
    "access": ("Grant",),
}
"""Areas of a schema, in reading order."""
DATABASE = {"extensions": ("Extension", "ServerSetting"), "roles": ("Role", "RoleMembership")}
"""Areas of what belongs to no schema."""
TITLES = {
    "types": "Enums and domains",
    "sequences": "Sequences",
    "tables": "Tables",
    "keys": "Foreign keys",
    "indexes": "Indexes that no constraint owns",
    "timeseries": "Hypertables",
    "aggregates": "Continuous aggregates",
    "views": "Views and materialized views",
    "functions": "Functions and procedures",
    "triggers": "Triggers",
    "row_security": "Row-level security policies",
    "jobs": "Background jobs",
    "access": "Rights",
    "extensions": "Extensions and settings of the database",
    "roles": "Roles",
}


def schema_of(spec: Spec) -> str:
    """The schema a declaration belongs to; "" for none."""
    return spec.identity()[0] if spec.KIND == "Schema" else getattr(spec, "schema_", None) or ""


def area_of(spec: Spec) -> str:
    """The module a declaration goes into. A kind that no area names gets a module of its own."""
    if spec.KIND in DATABASE["extensions"] or spec.KIND in DATABASE["roles"]:
        return next(area for area, kinds in DATABASE.items() if spec.KIND in kinds)
    own = re.sub(r"(?<!^)(?=[A-Z])", "_", spec.KIND).lower()
    return next((area for area, kinds in AREAS.items() if spec.KIND in kinds), own)


class Names:
    """Names of modules and files, unique in a folder even where upper and lower case are one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in taken}

    def new(self, text: str) -> str:
        """A name like `text` that Python and every file system take."""
        plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "x"
        if plain[0].isdigit() or keyword.iskeyword(plain) or keyword.issoftkeyword(plain):
            plain = f"s_{plain}"
        name, number = plain, 1
        while name in self._taken:
            number += 1
            name = f"{plain}_{number}"
        self._taken.add(name)
        return name
