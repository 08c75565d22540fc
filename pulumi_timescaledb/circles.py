"""Who needs whom in a circle: strongly connected components of a graph (Tarjan, SIAM J. Comput. 1972)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def components(graph: Mapping[Node, Sequence[Node]]) -> Iterator[list[Node]]:
    """Groups of nodes that reach each other; a node in no circle is a group of its own. Without recursion: a chain of
    views may be longer than Python's stack."""
    number: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    open_nodes: list[Node] = []
    is_open: set[Node] = set()
    for root in graph:
        if root in number:
            continue
        path = [(root, iter(graph[root]))]
        _enter(root, number, lowest, open_nodes, is_open)
        while path:
            node, following = path[-1]
            for each in following:
                if each not in number:
                    _enter(each, number, lowest, open_nodes, is_open)
                    path.append((each, iter(graph[each])))
                    break
                if each in is_open:
                    lowest[node] = min(lowest[node], number[each])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    group = [open_nodes.pop()]
                    while group[-1] != node:
                        group.append(open_nodes.pop())
                    is_open.difference_update(group)
                    yield group


def _enter(
    node: Node, number: dict[Node, int], lowest: dict[Node, int], open_nodes: list[Node], is_open: set[Node]
) -> None:
    number[node] = lowest[node] = len(number)
    open_nodes.append(node)
    is_open.add(node)
