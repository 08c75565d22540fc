"""Draws graphs in Graphviz's language as SVG: the npm package @viz-js/viz of tools/diagram, no system package."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from flowsctl.errors import FlowsError

DRAW = Path(__file__).resolve().parents[1] / "tools" / "diagram" / "draw.mjs"
DRAW_SECONDS = 60
BETWEEN = "\f"


def can_draw() -> bool:
    """Whether Node and the package are installed."""
    return shutil.which("node") is not None and (DRAW.parent / "node_modules").is_dir()


def draw(graphs: Sequence[str]) -> list[str]:
    """Each graph as an SVG element, in one run of Node.

    Raises:
        FlowsError: what draws is not installed, or Graphviz refuses a graph.
    """
    if not graphs:
        return []
    if not can_draw():
        raise FlowsError("pictures cannot be drawn: Node or its package is not installed", "run make setup")
    done = subprocess.run(
        ["node", str(DRAW)],
        input=BETWEEN.join(graphs),
        capture_output=True,
        text=True,
        timeout=DRAW_SECONDS,
        check=False,
    )
    if done.returncode:
        raise FlowsError(f"Graphviz refused a graph: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return done.stdout.split(BETWEEN)


def quoted(text: str) -> str:
    """A text as Graphviz's language takes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
