"""A graph as text: Graphviz's language, Mermaid, or drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterator

from flowsctl.drawing import draw, quoted
from flowsctl.graphs.selection import Graph, Node

FORMATS = ("svg", "dot", "mermaid")
ENDINGS = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"}
COLOURS = {
    "Table": "#dbe9f6",
    "Hypertable": "#cfe8d5",
    "ContinuousAggregate": "#e6dcf5",
    "View": "#fdf1cf",
    "MaterializedView": "#f9e2c7",
    "Function": "#f3dfe6",
    "Job": "#e3e6ea",
    "Enum": "#e8ece0",
}
OTHER = "#eef1f4"
CENTRE = "#c0392b"


def text(graph: Graph, form: str) -> str:
    """The graph in one of FORMATS. Raises FlowsError where it has to be drawn and cannot be."""
    if form == "mermaid":
        return as_mermaid(graph)
    dot = as_dot(graph)
    return dot if form == "dot" else draw([dot])[0]


def as_dot(graph: Graph) -> str:
    """Graphviz's language, a cluster per schema."""
    lines = [
        "digraph {",
        '  rankdir=LR; ranksep=0.9; nodesep=0.18; bgcolor="white"; fontname="Helvetica";',
        '  node [shape=box, style="filled,rounded", color="#8893a0", fontname="Helvetica", fontsize=11, height=0.3];',
        '  edge [color="#8893a0", arrowsize=0.7];',
    ]
    for schema, members in _clusters(graph):
        lines.append(f"  subgraph {quoted('cluster ' + schema)} {{")
        lines.append(f'    label={quoted(schema)}; labeljust=l; style="rounded"; color="#c5ccd3"; fontsize=13;')
        lines += [f"    {_dot_node(number, node)}" for number, node in members]
        lines.append("  }")
    lines += [f"  n{source} -> n{target};" for source, target in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_node(number: int, node: Node) -> str:
    label = f"{node.name}\\n{node.details}" if node.details else node.name
    shown = quoted(label).replace("\\\\n", "\\n")
    frame = f', color="{CENTRE}", penwidth=2' if node.centre else ""
    tip = quoted(f"{node.kind} {node.id}")
    return f"n{number} [label={shown}, tooltip={tip}, fillcolor={quoted(COLOURS.get(node.kind, OTHER))}{frame}];"


def as_mermaid(graph: Graph) -> str:
    """Mermaid's flowchart language, a subgraph per schema."""
    lines = ["flowchart LR"]
    for schema, members in _clusters(graph):
        lines.append(f'  subgraph "{_entities(schema)}"')
        for number, node in members:
            label = _entities(node.name) + (f"<br/>{_entities(node.details)}" if node.details else "")
            lines.append(f'    n{number}["{label}"]:::{node.kind}{"Centre" if node.centre else ""}')
        lines.append("  end")
    lines += [f"  n{source} --> n{target}" for source, target in graph.edges]
    for kind in sorted({node.kind for node in graph.nodes}):
        fill = COLOURS.get(kind, OTHER)
        lines.append(f"  classDef {kind} fill:{fill},stroke:#8893a0,color:#1b2430")
        if any(node.centre and node.kind == kind for node in graph.nodes):
            lines.append(f"  classDef {kind}Centre fill:{fill},stroke:{CENTRE},stroke-width:2px,color:#1b2430")
    return "\n".join(lines) + "\n"


def _clusters(graph: Graph) -> Iterator[tuple[str, list[tuple[int, Node]]]]:
    schemas = dict.fromkeys(node.schema for node in graph.nodes)
    for schema in schemas:
        yield schema, [(number, node) for number, node in enumerate(graph.nodes) if node.schema == schema]


def _entities(label: str) -> str:
    """Quotes and brackets as entities, which Mermaid asks for inside a quoted label."""
    return "".join(char if char.isalnum() or char in " ._-," else f"#{ord(char)};" for char in label)
