"""Pictures of the reference: tables with their keys, and the aggregates above a hypertable. Graphviz's language.

Colours are marks that the page's style sheet replaces for light and dark; labels link to the sections.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from flowsctl.drawing import quoted
from flowsctl.site.catalogue import Area, Catalogue
from pulumi_timescaledb.specs.table import Table

HEAD, BODY, LINE = "#d7e5f4", "#ffffff", "#8093a8"
"""Fills and lines, found again by the style sheet's attribute selectors."""
SERIES, AGGREGATE = "#cfe8d5", "#e6dcf5"
OPEN = [
    "digraph {",
    '  rankdir=LR; ranksep=0.8; nodesep=0.25; bgcolor="transparent"; node [fontname="Helvetica", fontsize=11];',
    f'  edge [color="{LINE}", arrowsize=0.8, fontname="Helvetica", fontsize=9];',
]
Link = Callable[[str, str], str]
"""Where the section of a table is: (schema, table) -> URL."""


def area_picture(catalogue: Catalogue, area: Area, link: Link) -> str:
    """The tables of an area with their key columns, and by name the tables of other areas that they refer to."""
    inside = {table.identity() for table in area.tables}
    lines, outside = list(OPEN), dict[tuple[str, str], None]()
    for table in area.tables:
        lines.append(f"  {_id(table.identity())} [shape=none, margin=0, label=<{_entity(catalogue, table, link)}>];")
        for key in catalogue.on("ForeignKey", *table.identity()):
            target = (key.target_schema, key.target)
            if target not in inside:
                outside[target] = None
            lines.append(_edge(table, key.columns[0], target, key.columns, catalogue))
    for schema, name in outside:
        url = quoted(link(schema, name))
        lines.append(
            f'  {_id((schema, name))} [label={quoted(name)}, shape=box, style="dashed,filled", fillcolor="{BODY}", '
            f'color="{LINE}", URL={url}];'
        )
    return "\n".join([*lines, "}"])


def whole_picture(catalogue: Catalogue, link: Link) -> str:
    """All tables by name, a cluster per area."""
    lines = [*OPEN, '  node [shape=box, style="filled", height=0.28];']
    for area in catalogue.areas:
        lines.append(f"  subgraph {quoted('cluster ' + area.name)} {{")
        lines.append(f'    label={quoted(area.title)}; labeljust=l; fontname="Helvetica"; fontsize=12; color="{LINE}";')
        for table in area.tables:
            fill = SERIES if catalogue.on("Hypertable", *table.identity()) else HEAD
            url = quoted(link(*table.identity()))
            lines.append(
                f"    {_id(table.identity())} [label={quoted(table.name)}, URL={url}, "
                f'fillcolor="{fill}", color="{LINE}"];'
            )
        lines.append("  }")
    pairs = dict.fromkeys(
        ((key.target_schema, key.target), (key.schema_, key.relation)) for key in catalogue.of("ForeignKey")
    )
    lines += [f"  {_id(target)} -> {_id(source)} [arrowhead=crow];" for target, source in pairs]
    return "\n".join([*lines, "}"])


def hierarchy_picture(catalogue: Catalogue, link: Link) -> str:
    """Hypertables that aggregates are built on, and the aggregates, each with its policies."""
    lines = [*OPEN, '  node [shape=box, style="filled,rounded", margin="0.16,0.1"];']
    aggregates = catalogue.of("ContinuousAggregate")
    known = {each.identity() for each in aggregates}
    sources = dict[tuple[str, str], None]()
    edges = []
    for aggregate in aggregates:
        for name in sorted(aggregate.mentions()):
            source = (name[0], name[1]) if len(name) == 2 else None
            if source is None or source == aggregate.identity():
                continue
            if source in known or catalogue.on("Hypertable", *source):
                sources[source] = None
                edges.append(f"  {_id(source)} -> {_id(aggregate.identity())};")
    for source in sources:
        if source not in known:
            lines.append(_box(source, _hypertable_words(catalogue, source), SERIES, link(*source)))
    for aggregate in aggregates:
        words = _aggregate_words(catalogue, aggregate.identity())
        lines.append(_box(aggregate.identity(), words, AGGREGATE, link(*aggregate.identity())))
    return "\n".join([*lines, *dict.fromkeys(edges), "}"])


def _box(identity: tuple[str, str], words: list[str], fill: str, url: str) -> str:
    label = "\\n".join(quoted(text)[1:-1] for text in (identity[1], *words))
    return f'  {_id(identity)} [label="{label}", fillcolor="{fill}", color="{LINE}", URL={quoted(url)}];'


def _hypertable_words(catalogue: Catalogue, identity: tuple[str, str]) -> list[str]:
    hypertable = catalogue.one("Hypertable", *identity)
    kept = catalogue.one("RetentionPolicy", *identity)
    return [f"chunks of {hypertable.chunk_interval}", f"kept {kept.drop_after}" if kept else "kept for ever"]


def _aggregate_words(catalogue: Catalogue, identity: tuple[str, str]) -> list[str]:
    policy = catalogue.one("RefreshPolicy", *identity)
    kept = catalogue.one("RetentionPolicy", *identity)
    refreshed = [f"refreshed every {policy.schedule_interval}"] if policy else ["refreshed by hand"]
    return [*refreshed, f"kept {kept.drop_after}" if kept else "kept for ever"]


def _entity(catalogue: Catalogue, table: Table, link: Link) -> str:
    shown, hidden = [], 0
    for column in table.columns:
        mark = catalogue.is_key(table, column.name)
        if mark:
            shown.append((column.name, column.type, mark))
        else:
            hidden += 1
    fill = SERIES if catalogue.on("Hypertable", *table.identity()) else HEAD
    url = escape(link(*table.identity()))
    rows = [f'<TR><TD BGCOLOR="{fill}" COLSPAN="2" HREF="{url}"><B>{escape(table.name)}</B></TD></TR>']
    rows += [_row(*row) for row in shown]
    if hidden:
        more = f"{hidden} more column{'s' if hidden > 1 else ''}"
        rows.append(f'<TR><TD COLSPAN="2" ALIGN="LEFT"><I>{more}</I></TD></TR>')
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" COLOR="{LINE}" BGCOLOR="{BODY}">' + (
        "".join(rows) + "</TABLE>"
    )


def _row(name: str, kind: str, mark: str) -> str:
    return f'<TR><TD ALIGN="LEFT" PORT="{escape(name)}">{escape(name)}</TD><TD ALIGN="LEFT">{escape(mark)}</TD></TR>'


def _edge(table: Table, column: str, target: tuple[str, str], columns: tuple[str, ...], catalogue: Catalogue) -> str:
    """From the referenced table to the referring one, a crow's foot at the many."""
    primary = table.primary_key.columns if table.primary_key else ()
    tail = "teetee" if primary == columns else "crow"
    return f"  {_id(target)} -> {_id(table.identity())}:{quoted(column)} [dir=both, arrowtail=tee, arrowhead={tail}];"


def _id(identity: tuple[str, ...]) -> str:
    return quoted(".".join(identity))
