"""The SQL of a destroy, planned from the Manifest that the state holds."""

from __future__ import annotations

from typing import Any

MANIFEST = "timescaledb:index:Manifest"


def from_state(export: dict[str, Any]) -> dict[str, list[str]]:
    """Drop statements by URN. What goes with its table has none of its own; without a Manifest there are none."""
    resources = (export.get("deployment") or {}).get("resources") or []
    manifest = next((each for each in resources if each["type"] == MANIFEST), None)
    if manifest is None:
        return {}
    from pulumi_timescaledb.capabilities import ServerCapabilities
    from pulumi_timescaledb.plan import removals
    from pulumi_timescaledb.whole import Whole

    urns = {(each["type"].rsplit(":", 1)[-1], each.get("id")): each["urn"] for each in resources}
    found = {}
    for step in removals(Whole.unpack(manifest["inputs"]["declarations"]), ServerCapabilities()):
        urn = urns.get((step.spec.KIND, step.spec.import_id()))
        if urn is not None:
            found[urn] = [f"{statement.sql};" for statement in step.statements]
    return found
