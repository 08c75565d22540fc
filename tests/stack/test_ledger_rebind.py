"""`flowsctl ledger rebind` on the shared stack, whose database is made to look like the copy of another stack's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Stack

pytestmark = pytest.mark.stack
OTHER = "flows/elsewhere"
ENTRIES = "SELECT kind, id, stack, urn FROM pulumi_timescaledb.ledger ORDER BY 1, 2"
IDENTITY = "SELECT ledger::text FROM pulumi_timescaledb.identity"


@pytest.fixture
def copied(stack: Stack) -> Iterator[Stack]:
    """The stack over a database whose objects, by its ledger, are another stack's, as after a clone."""
    before = stack.rows(ENTRIES), stack.rows(IDENTITY)
    with stack.connect() as connection:
        connection.execute(
            b"UPDATE pulumi_timescaledb.ledger SET stack = 'flows/elsewhere', "
            b"urn = replace(urn, 'urn:pulumi:local::flows::', 'urn:pulumi:elsewhere::flows::')"
        )
        connection.execute(b"UPDATE pulumi_timescaledb.identity SET ledger = gen_random_uuid()")
    yield stack
    assert (stack.rows(ENTRIES), stack.rows(IDENTITY)) == before


def test_a_copy_is_refused_until_its_ledger_is_rebound(copied: Stack) -> None:
    refused = copied.ctl("preview", check=False)
    assert refused.returncode == 3, refused.stderr
    assert "flowsctl ledger rebind" in refused.stdout + refused.stderr

    asked = copied.ctl("ledger", "rebind", check=False)
    assert asked.returncode == 2
    assert "add --yes" in asked.stderr
    wrong = copied.ctl("ledger", "rebind", "--yes", "--from", "flows/nobody", check=False)
    assert wrong.returncode == 1
    assert f"holds objects of {OTHER}. Name the one whose objects flows/local shall own" in wrong.stderr
    assert {row[2] for row in copied.rows(ENTRIES)} == {OTHER}

    done = copied.json("ledger", "rebind", "--yes", "--from", OTHER)
    assert done == {"objects": len(copied.rows(ENTRIES)), "from": OTHER}
    assert copied.json("plan")["counts"] == {"create": 0, "update": 0, "delete": 0}
    again = copied.ctl("ledger", "rebind", "--yes")
    assert "flows/local now owns 0 objects more (before: nobody)" in again.stdout
    assert "next:  flowsctl refresh, then flowsctl preview" in again.stdout
