"""Every foreign key can be followed backwards through an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..policy import Offences, Policy
from ..specs import Spec
from ..whole import Whole


def _find(whole: Whole, exposed: frozenset[str]) -> Offences:
    keys = whole.of_kind("ForeignKey")
    if not keys:
        return
    indexed = _indexed(whole)
    for key in keys:
        wanted = set(key.columns)
        # In any order: the server looks all of them up by equality.
        if not any(wanted == set(columns[: len(wanted)]) for columns in indexed[(key.schema_, key.relation)]):
            yield key, f"has no index of {key.schema_}.{key.relation} that begins with {', '.join(key.columns)}"


def _indexed(whole: Whole) -> defaultdict[tuple[str, str], list[tuple[str, ...]]]:
    """Columns of every index by table, up to the first expression. A partial index serves where all it leaves out is
    NULLs of its own column: the server looks for values."""
    found: defaultdict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for table in whole.of_kind("Table"):
        keys = [key for key in (table.primary_key, *table.unique) if key is not None]
        found[(table.schema_, table.name)] += [key.columns for key in keys]
    for index in whole.of_kind("Index"):
        columns = tuple(_leading(key.column for key in index.keys))
        if columns and index.valid and (index.where is None or _leaves_out_nulls(index, columns[0])):
            found[(index.schema_, index.relation)].append(columns)
    return found


def _leading(columns: Iterable[str | None]) -> Iterable[str]:
    for column in columns:
        if column is None:
            return
        yield column


def _leaves_out_nulls(index: Spec, column: str) -> bool:
    condition = " ".join(str(getattr(index, "where")).strip("() ").lower().split())  # noqa: B009
    return condition in (f"{column.lower()} is not null", f'"{column.lower()}" is not null')


POLICY = Policy(
    level="advisory",
    demand="A foreign key's columns are the first of an index of their table.",
    harm="Every delete and key change in the table it points at scans this one, under locks.",
    remedy="Declare an Index that begins with these columns.",
    source="Supabase splinter, lint 0001; PostgreSQL 17 documentation, 5.5.5",
    find=_find,
)
