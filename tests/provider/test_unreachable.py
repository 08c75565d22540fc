"""A server that cannot be reached: nothing counts as gone, nothing is assumed."""

from __future__ import annotations

import pytest

from .engine import Engine, Failed
from .things import SCHEMA, VIEW, changed, manifest


def test_a_program_with_a_manifest_cannot_even_be_previewed(offline: Engine) -> None:
    """It could be another database by now."""
    state = {**manifest(SCHEMA, VIEW), "ledger": "one", "systemIdentifier": "two"}
    with pytest.raises(Failed, match="cannot connect"):
        offline.diff("Manifest", manifest(SCHEMA, VIEW), manifest(SCHEMA), state)


def test_reading_and_applying_stop(offline: Engine) -> None:
    for stopped in (
        lambda: offline.read("View", "app.all_things", VIEW),
        lambda: offline.create(VIEW),
        lambda: offline.update(VIEW, changed(VIEW, comment="x")),
        lambda: offline.delete(VIEW),
    ):
        with pytest.raises(Failed, match="cannot connect"):
            stopped()


def test_a_single_object_can_be_previewed(offline: Engine) -> None:
    offline.update(VIEW, changed(VIEW, query="select id from app.things"), preview=True)
    assert "CREATE OR REPLACE VIEW" in offline.logs()[-1]
