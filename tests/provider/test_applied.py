"""One life of every kind through the provider's own service, committed: applied twice, imported, changed, drifted,
deleted twice. The others of `kinds/` live in one transaction (test_lifecycle)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec, kind_names

from .engine import Engine, Secret, sql, wipe
from .lifecycle import Drift, LifeCycle
from .test_lifecycle import NEVER_DROPPED, lives_of

pytestmark = pytest.mark.server
Make = Callable[..., Engine]


@pytest.fixture(autouse=True)
def emptied(server: EmbeddedServer) -> Iterator[None]:
    yield
    wipe(server)


def statements(server: EmbeddedServer) -> int:
    """How many changes the history holds."""
    return int(sql(server, "SELECT count(*) FROM pulumi_timescaledb.history")[0][0])


def seen(engine: Engine, known: Spec | None, key: str, kind: str) -> Spec | None:
    """What a refresh of `known`, or an import where there is none, reads."""
    found, inputs = engine.read(kind, key, known)
    bare = {name: each.value if isinstance(each, Secret) else each for name, each in inputs.items()}
    return spec_of(kind, bare) if found else None


def spec_of(kind: str, inputs: dict[str, object]) -> Spec:
    from pulumi_timescaledb.specs import spec_type

    return spec_type(kind).from_wire(inputs)


def drift_of(life: LifeCycle) -> Drift:
    """The first that can be put right and was not written into the catalog itself: the embedded server does not
    survive that once it is committed."""
    return next(drift for drift in life.drifts if not drift.refused and " pg_" not in drift.sql)


@pytest.mark.parametrize("kind", kind_names())
def test_applied_twice_imported_changed_drifted_and_deleted(kind: str, make: Make, server: EmbeddedServer) -> None:
    life = next(life for life in lives_of(kind) if any(not drift.refused for drift in life.drifts) and life.alters)
    spec, key = life.spec, life.spec.import_id()
    sql(server, life.before or "SELECT 1")
    make().create(spec)
    applied = statements(server)
    make().create(spec)
    if not spec.secret_fields():  # the ledger keeps none, so what a crash left is given its secret again
        assert statements(server) == applied, "created twice it changes something"
    applied = statements(server)
    make().update(spec, spec)
    assert statements(server) == applied, "applied twice it changes something"
    assert seen(make(), None, key, kind) == spec.without_secrets()
    assert seen(make(), spec, key, kind) == spec

    drift = drift_of(life)
    sql(server, drift.sql)
    found = seen(make(), spec, key, kind)
    assert found is not None
    assert found != spec, drift.name
    make().update(found, spec)
    assert seen(make(), spec, key, kind) == spec, drift.name

    alter = next(alter for alter in life.alters if not (alter.refused or alter.before))
    new = spec_of(kind, spec.model_copy(update=alter.change).to_wire())
    make().update(spec, new)
    changes = statements(server)
    make().update(spec, new)
    assert statements(server) == changes, f"{alter.name}: applied twice it changes something"
    assert seen(make(), new, new.import_id(), kind) == new

    if kind not in NEVER_DROPPED:
        make().delete(new)
        make().delete(new)
        left = seen(make(), None, new.import_id(), kind)
        assert left is None or kind == "Grant"  # a role always has some set of rights, perhaps none
