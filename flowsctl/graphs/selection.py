"""What a picture shows: objects of a Whole, small ones folded into the relation that carries them, and their needs."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from flowsctl.errors import UsageError
from pulumi_timescaledb.specs import Reference, kind_names
from pulumi_timescaledb.whole import Whole

EVERYWHERE = frozenset({"Extension", "Schema", "Role", "RoleMembership", "Grant", "ServerSetting"})
"""They touch nearly everything: drawn only where they are asked for."""
SCHEMALESS = "the database"
"""Cluster of what lives in no schema."""


@dataclass(frozen=True)
class Node:
    """One object, with how many others of each kind are folded into it."""

    reference: Reference
    id: str
    schema: str
    folded: dict[str, int] = field(default_factory=dict)
    centre: bool = False

    @property
    def kind(self) -> str:
        """Its kind; a table that a Hypertable is folded into is a hypertable."""
        return "Hypertable" if "Hypertable" in self.folded else self.reference.kind

    @property
    def name(self) -> str:
        """Its id without the schema, which the cluster says."""
        return self.id.removeprefix(f"{self.schema}.")

    @property
    def details(self) -> str:
        """What is folded into it, for example "3 indexes, 2 triggers"."""
        shown = {kind: number for kind, number in self.folded.items() if kind != "Hypertable"}
        return ", ".join(_counted(kind, shown[kind]) for kind in sorted(shown))


@dataclass(frozen=True)
class Graph:
    """Nodes in creation order, edges as positions: from what is needed to what needs it."""

    nodes: list[Node]
    edges: list[tuple[int, int]]

    def as_json(self) -> dict[str, object]:
        """The documented form of `--json`."""
        nodes = [
            {"kind": node.reference.kind, "id": node.id, "schema": node.schema, "folded": node.folded}
            for node in self.nodes
        ]
        return {"nodes": nodes, "edges": [list(edge) for edge in self.edges]}


def select(
    whole: Whole,
    *,
    around: str = "",
    depth: int = 1,
    kinds: Iterable[str] = (),
    schemas: Iterable[str] = (),
    unfolded: bool = False,
) -> Graph:
    """The picture of a whole, or of one object's neighbourhood of `depth` steps either way.

    With `kinds` only these, each a node of its own; `unfolded`: every object a node of its own.

    Raises:
        UsageError: no object, kind or schema of that name is declared.
    """
    wanted_kinds, wanted_schemas = _known_kinds(whole, kinds), _known_schemas(whole, schemas)
    centre = find(whole, around) if around else None
    alone = frozenset(wanted_kinds) or (frozenset(kind_names()) if unfolded else frozenset())
    host = _hosts(whole, alone)
    if centre is not None and centre not in (host.get(centre) or centre, None):
        centre = host[centre]
    shown = [
        reference
        for reference in whole.creation_order
        if host.get(reference) == reference
        and (not wanted_kinds or reference.kind in wanted_kinds)
        and (not wanted_schemas or _schema(whole, reference) in wanted_schemas)
    ]
    if centre is not None and centre not in shown:
        shown.append(centre)
        host[centre] = centre
    return _drawn(whole, shown, host, centre, depth)


def find(whole: Whole, text: str) -> Reference:
    """The object a person means: `flows.escos`, or `Hypertable flows.meter_csq` where several share the name. The
    relation wins over what belongs to it.

    Raises:
        UsageError: there is none.
    """
    by_id: dict[str, list[Reference]] = {}
    for reference, spec in whole.specs.items():
        by_id.setdefault(spec.import_id(), []).append(reference)
        by_id.setdefault(f"{reference.kind} {spec.import_id()}", []).append(reference)
        if reference.kind == "Function":
            by_id.setdefault(spec.import_id().partition("(")[0], []).append(reference)
    found = by_id.get(text)
    if found:
        return min(found, key=lambda each: whole.specs[each].parent() is not None)
    close = difflib.get_close_matches(text, by_id, 3)
    raise UsageError(f"{text} is not declared", f"did you mean {' or '.join(close)}?" if close else "")


def _known_kinds(whole: Whole, kinds: Iterable[str]) -> tuple[str, ...]:
    names = {name.lower(): name for name in kind_names()}
    wanted = []
    for kind in kinds:
        name = names.get(kind.lower().replace("_", "").replace("-", ""))
        if name is None:
            raise UsageError(f"there is no kind {kind}", f"take one of {', '.join(names.values())}")
        wanted.append(name)
    return tuple(wanted)


def _known_schemas(whole: Whole, schemas: Iterable[str]) -> tuple[str, ...]:
    declared = sorted({_schema(whole, reference) for reference in whole.specs} - {SCHEMALESS})
    for schema in schemas:
        if schema not in declared:
            raise UsageError(f"there is no schema {schema}", f"take one of {', '.join(declared)}")
    return tuple(schemas)


def _schema(whole: Whole, reference: Reference) -> str:
    spec = whole.specs[reference]
    return str(getattr(spec, "schema_", "") or (spec.identity()[0] if reference.kind == "Schema" else SCHEMALESS))


def _hosts(whole: Whole, alone: frozenset[str]) -> dict[Reference, Reference]:
    """Object -> the node it is drawn in; those that are not drawn are missing."""
    carriers = {
        provided: reference
        for reference, spec in whole.specs.items()
        for provided in spec.provides()
        if provided.kind == "Relation"
    }
    found: dict[Reference, Reference] = {}
    for reference, spec in whole.specs.items():
        parent = spec.parent()
        if reference.kind in alone:
            found[reference] = reference
        elif parent is not None and parent in carriers:
            found[reference] = carriers[parent]
        elif reference.kind not in EVERYWHERE:
            found[reference] = reference
    return found


def _drawn(
    whole: Whole,
    shown: list[Reference],
    host: dict[Reference, Reference],
    centre: Reference | None,
    depth: int,
) -> Graph:
    chosen = set(shown)
    edges: dict[tuple[Reference, Reference], None] = {}
    folded: dict[Reference, Counter[str]] = {reference: Counter() for reference in shown}
    for reference, needed in whole.needs.items():
        owner = host.get(reference)
        if owner not in chosen or owner is None:
            continue
        if owner != reference:
            folded[owner][reference.kind] += 1
        for each in needed:
            target = host.get(each)
            if target in chosen and target is not None and target != owner:
                edges[(target, owner)] = None
    if centre is not None:
        near = _near(edges, centre, depth)
        shown = [reference for reference in shown if reference in near]
        edges = dict.fromkeys(edge for edge in edges if edge[0] in near and edge[1] in near)
    else:
        edges = dict.fromkeys(_reduced(edges))
    number = {reference: position for position, reference in enumerate(shown)}
    nodes = [
        Node(
            reference,
            whole.specs[reference].import_id(),
            _schema(whole, reference),
            dict(folded[reference]),
            centre=reference == centre,
        )
        for reference in shown
    ]
    return Graph(nodes, [(number[a], number[b]) for a, b in edges])


def _near(edges: Iterable[tuple[Reference, Reference]], centre: Reference, depth: int) -> set[Reference]:
    """What is at most `depth` edges away, all of them downwards or all of them upwards."""
    reached = {centre}
    for source, target in ((0, 1), (1, 0)):
        ring = {centre}
        for _ in range(depth):
            ring = {edge[target] for edge in edges if edge[source] in ring} - {centre}
            reached |= ring
    return reached


def _reduced(edges: Iterable[tuple[Reference, Reference]]) -> list[tuple[Reference, Reference]]:
    """The fewest edges that say the same; those on a circle all stay."""
    edges = list(edges)
    after: dict[Reference, list[Reference]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)

    def reaches(start: Reference, end: Reference, skipped: tuple[Reference, Reference]) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            at = waiting.pop()
            for each in after.get(at, ()):
                if (at, each) == skipped or each in seen:
                    continue
                if each == end:
                    return True
                seen.add(each)
                waiting.append(each)
        return False

    return [edge for edge in edges if reaches(edge[1], edge[0], edge) or not reaches(*edge, edge)]


def _counted(kind: str, number: int) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    words = words.replace("rls policy", "row policy")
    plural = {"index": "indexes"}.get(words, f"{words[:-1]}ies" if words.endswith("policy") else f"{words}s")
    return words if number == 1 else f"{number} {plural}"
