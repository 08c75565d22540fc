"""The table of import ids in docs/provider.md: every kind is there, and its example is an id of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pulumi_timescaledb.specs import kind_names, spec_type
from pulumi_timescaledb.sqltext import display

DOCUMENT = Path(__file__).parents[2] / "docs" / "provider.md"
ROW = re.compile(r"^\| ([A-Z][\w, ]+) \| `[^|]+ \| `([^`]+)` \|$", re.MULTILINE)
EXAMPLES = {
    kind: example
    for kinds, example in ROW.findall(DOCUMENT.read_text(encoding="utf-8").split("## Import ids")[1].split("\n## ")[0])
    for kind in kinds.split(", ")
}


def test_every_kind_has_a_row() -> None:
    assert set(EXAMPLES) == set(kind_names())


@pytest.mark.parametrize("kind", kind_names())
def test_the_example_is_an_id(kind: str) -> None:
    identity = spec_type(kind).parse_id(EXAMPLES[kind])
    assert all(isinstance(part, str) for part in identity)
    if kind == "Function":
        assert identity == ("shop", "net", "numeric, character")
    else:
        assert display(*identity) == EXAMPLES[kind]
