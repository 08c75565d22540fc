"""docs/reference is what the specs and the examples say, and complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.manifest import violations
from pulumi_timescaledb.specs import kind_names, module_name
from pulumi_timescaledb.whole import Whole
from tools import reference


def test_the_pages_are_current() -> None:
    """If not: `make docs`."""
    found = {path.name: path.read_text(encoding="utf-8") for path in reference.PAGES.glob("*")}
    wanted = reference.pages()
    assert found.keys() == wanted.keys()
    stale = [name for name, text in wanted.items() if found[name] != text]
    assert stale == []


def test_every_kind_has_its_example_and_no_other_is_there() -> None:
    assert {path.stem for path in reference.EXAMPLES.glob("*.py")} == {module_name(kind) for kind in kind_names()}


@pytest.mark.parametrize("kind", kind_names())
def test_an_example_is_whole(kind: str) -> None:
    """It declares its kind and all that this needs, and breaks no rule."""
    declared = reference.examples(kind)
    whole = Whole(declared)
    assert kind in {spec.KIND for spec in declared}
    assert violations(whole, ServerCapabilities()) == []
    known = {reference for spec in declared for reference in (spec.reference(), *spec.provides())}
    needed = {reference for spec in declared for reference in spec.references()}
    needed -= {each for each in needed if each.kind in ("Hypertable", "RefreshPolicy")}  # only where there is one
    if kind == "Trigger":
        known |= {each for each in needed if each.kind == "Function"}  # named without its (empty) arguments
    assert needed <= known


@pytest.mark.parametrize("kind", kind_names())
def test_a_page_leaves_nothing_out(kind: str) -> None:
    """Every field has a type and a meaning; links lead to files that are there."""
    page = reference.page(kind)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for row in rows:
        _, field, type_, _, meaning, _ = (cell.strip() for cell in row.replace("\\|", "/").split("|"))
        assert type_, field
        assert meaning.endswith("."), field
    assert (reference.PAGES / Path("../examples") / f"{module_name(kind)}.py").exists()
