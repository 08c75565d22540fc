"""Every example of the reference on a real server: made, seen as declared, unchanged by a second run, removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec, kind_names
from pulumi_timescaledb.whole import Whole
from tools.reference import examples

from .engine import Engine, sql
from .things import bring_up, ledger, manifest

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("reference")]


@pytest.mark.parametrize("kind", kind_names())
def test_example(kind: str, make: Callable[..., Engine], server: EmbeddedServer) -> None:
    whole = Whole(examples(kind))
    specs = [whole.specs[reference] for reference in whole.creation_order]
    bring_up(make(), *specs)

    again = make()  # another process, which knows nothing but what the engine's state holds
    assert again.check("Manifest", manifest(*specs), manifest(*specs))[1] == []
    for spec in specs:
        assert not again.diff(spec.KIND, spec.to_wire(), spec.to_wire()).diffs
        assert again.read(spec.KIND, spec.import_id(), spec) == (spec.import_id(), spec.to_wire())
        again.update(spec, spec)
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history WHERE verb <> 'create'") == [(0,)]

    for spec in reversed(specs):
        if not _goes_with_its_carrier(spec, whole):
            again.delete(spec)
    assert ledger(server) == []
    again.delete(("Manifest", manifest(*specs)))
    assert sql(server, "SELECT to_regclass('pulumi_timescaledb.ledger')") == [(None,)]


def _goes_with_its_carrier(spec: Spec, whole: Whole) -> bool:
    """Whether the program would give it `deleted_with`, so that the engine never asks for its deletion."""
    return whole.carrier(spec.reference()) is not None
