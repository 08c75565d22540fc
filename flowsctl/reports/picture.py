"""What changes and what depends on it, as a graph: Mermaid for Markdown, Graphviz's language for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pulumi_timescaledb.specs import Reference
from pulumi_timescaledb.whole import Whole

MOST_NODES = 60
"""A larger picture tells nobody anything; the report says how many objects were left out."""
COLOURS = {"create": "#d7f5dd", "update": "#fff2c9", "delete": "#fbd9d9", "": "#eef1f4"}
EVERYWHERE = frozenset({"Grant", "Schema", "Extension", "Role"})
"""They touch nearly everything; drawn only where they change themselves."""


@dataclass(frozen=True)
class Node:
    """One object; `verb` is empty where it only depends on what changes."""

    label: str
    verb: str


@dataclass(frozen=True)
class Picture:
    """Nodes by number, and edges from what changes to what depends on it."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    left_out: int = 0

    def mermaid(self) -> str:
        """Mermaid's flowchart language."""
        lines = ["flowchart LR"]
        for number, node in enumerate(self.nodes):
            shape = ('["', '"]') if node.verb else ('("', '")')
            lines.append(f"  n{number}{shape[0]}{_mermaid(node.label)}{shape[1]}:::{node.verb or 'same'}")
        lines += [f"  n{source} --> n{target}" for source, target in self.edges]
        for verb, colour in COLOURS.items():
            lines.append(f"  classDef {verb or 'same'} fill:{colour},stroke:#8893a0,color:#1b2430")
        return "\n".join(lines)

    def dot(self) -> str:
        """Graphviz's language."""
        lines = ["digraph {", '  rankdir=LR; bgcolor="transparent"; node [fontname="sans-serif", fontsize=11];']
        for number, node in enumerate(self.nodes):
            style = "filled" if node.verb else "filled,rounded"
            fill = COLOURS[node.verb]
            label = node.label.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'  n{number} [shape=box, style="{style}", fillcolor="{fill}", label="{label}"];')
        lines += [f"  n{source} -> n{target};" for source, target in self.edges]
        return "\n".join([*lines, "}"])


def picture(verbs: Mapping[Reference, str], old: Whole, new: Whole) -> Picture:
    """The changed objects and what needs them directly, in both pictures."""
    order: dict[Reference, str] = dict(verbs)
    edges: dict[tuple[Reference, Reference], None] = {}
    for reference in verbs:
        for whole in (old, new):
            for dependent in whole.needed_by.get(reference, ()):
                if dependent in verbs or _stands_alone(whole, dependent):
                    order.setdefault(dependent, "")
                    edges[(reference, dependent)] = None
    shown = list(order)[:MOST_NODES]
    number = {reference: position for position, reference in enumerate(shown)}
    return Picture(
        [Node(_label(reference), order[reference]) for reference in shown],
        [(number[a], number[b]) for a, b in edges if a in number and b in number],
        len(order) - len(shown),
    )


def _stands_alone(whole: Whole, reference: Reference) -> bool:
    """Whether it is worth drawing where it only depends: not what belongs to a relation, such as its indexes."""
    return reference.kind not in EVERYWHERE and whole.specs[reference].parent() is None


def _label(reference: Reference) -> str:
    return f"{reference.kind} {'.'.join(reference.identity)}"


def _mermaid(text: str) -> str:
    """Quotes and brackets as entities, which Mermaid asks for inside a quoted label."""
    return "".join(char if char.isalnum() or char in " ._-" else f"#{ord(char)};" for char in text)
