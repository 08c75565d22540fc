"""`flowsctl plan` and the engine say the same; `up --plan` does that and nothing else. In order."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-plan")]

KEEP = ("--config", "flows:disposable=false")
HOOK = """

from . import probe

_everything = declarations


def declarations(settings=None):
    yield from (spec for spec in map(probe.changed, _everything(settings)) if spec is not None)
    yield from probe.more()
"""
"""At the end of flows/__init__.py: what the test adds, changes and takes away stands in flows/probe.py."""

BEFORE = """
from pulumi_timescaledb.specs.grant import ObjectRights
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.table import Column, PrimaryKey, Table
from pulumi_timescaledb.specs.view import View

COLUMNS = {"id": "bigint", "amount": "integer", "label": "text", "note": "text"}


def table(**more):
    columns = tuple(Column(name=name, type=kind) for name, kind in COLUMNS.items())
    key = PrimaryKey(name="probe_pkey", columns=("id",))
    return Table(schema="flows", name="probe", columns=columns, primary_key=key, **more)


def more():
    yield table()
    yield View(schema="flows", name="probe_labels", query="SELECT id, label FROM flows.probe")
    yield View(schema="flows", name="probe_ids", query="SELECT id FROM flows.probe")
    yield Index(schema="flows", relation="probe", name="probe_label", keys=(IndexKey(column="label"),))


def changed(spec):
    if spec.KIND == "Grant" and spec.import_id() == "grafanareader.flows":
        rights = [ObjectRights(type="relation", name=name, privileges=("select",)) for name in GRANTED]
        return spec.model_copy(update={"objects": (*spec.objects, *rights)})
    return spec


GRANTED = ("probe", "probe_labels", "probe_ids")
"""
AFTER = """
from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy
from pulumi_timescaledb.specs.grant import ObjectRights
from pulumi_timescaledb.specs.hypertable import Hypertable
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.retention_policy import RetentionPolicy
from pulumi_timescaledb.specs.table import Check, Column, PrimaryKey, Table
from pulumi_timescaledb.specs.view import View

GONE = {"meters_clock_drift", "probe_ids"}


def more():
    columns = (
        Column(name="id", type="bigint"),
        Column(name="amount", type="bigint"),
        Column(name="label", type="text", not_null=True, comment="What it says."),
        Column(name="remark", type="text", previously="note"),
        Column(name="added", type="integer", default="7"),
    )
    key = PrimaryKey(name="probe_pkey", columns=("id",))
    small = Check(name="small", expression="added < 100")
    yield Table(schema="flows", name="probe", columns=columns, primary_key=key, checks=(small,))
    yield View(schema="flows", name="probe_labels", query="SELECT id, label, added FROM flows.probe", comment="it's")
    yield Index(
        schema="flows", relation="probe", name="probe_label", keys=(IndexKey(column="label"), IndexKey(column="id"))
    )
    at = Column(name="at", type="timestamp with time zone", not_null=True)
    key = PrimaryKey(name="probe_series_pkey", columns=("id", "at"))
    yield Table(schema="flows", name="probe_series", columns=(Column(name="id", type="bigint"), at), primary_key=key)
    yield Hypertable(schema="flows", relation="probe_series", time_column="at", chunk_interval="1 day")
    yield Columnstore(
        schema="flows", relation="probe_series", segment_by=("id",), order_by=(OrderBy(column="at"),), after="7 days"
    )
    yield RetentionPolicy(schema="flows", relation="probe_series", drop_after="90 days")
    yield Index(schema="flows", relation="probe_series", name="probe_series_id", keys=(IndexKey(column="id"),))


def changed(spec):
    if spec.KIND == "Grant":
        kept = tuple(item for item in spec.objects if item.name not in GONE)
        if spec.import_id() == "grafanareader.flows":
            names = ("probe_labels", "probe_series")
            kept += tuple(ObjectRights(type="relation", name=name, privileges=("select",)) for name in names)
        return spec.model_copy(update={"objects": kept})
    if getattr(spec, "name", "") in GONE:
        return None
    if spec.KIND == "Table" and spec.name == "sites_new":
        return spec.model_copy(update={"columns": (*spec.columns, Column(name="postcode", type="text"))})
    if spec.KIND == "RetentionPolicy" and spec.relation == "register_import":
        return spec.model_copy(update={"drop_after": "3 years"})
    if spec.KIND == "Role" and spec.name == "grafanareader":
        return spec.model_copy(update={"connection_limit": 17})
    return spec
"""
LOSSES = (
    AFTER.replace('        Column(name="added", type="integer", default="7"),\n', "")
    .replace(", checks=(small,))", ")")
    .replace("label, added FROM", "label FROM")
)
"""Takes a column with values away again."""
BROKEN = (
    AFTER.replace('GONE = {"meters_clock_drift", "probe_ids"}', 'GONE = {"probe_labels"}')
    .replace(
        "yield View(", 'yield View(schema="flows", name="broken", query="SELECT nothing FROM flows.probe")\n    View('
    )
    .replace('names = ("probe_labels", "probe_series")', 'names = ("probe_series",)')
)
"""Drops a view, and makes one that the server refuses, so that the update ends before it comes to the drop."""


def declare(stack: Stack, text: str) -> None:
    (stack.root / "flows" / "probe.py").write_text(text)


@pytest.fixture(scope="module")
def planned(new_stack: Callable[[], Stack]) -> Stack:
    made = new_stack()
    model = made.root / "flows" / "__init__.py"
    model.write_text(model.read_text() + HOOK)
    declare(made, BEFORE)
    made.ctl("up")
    return made


def plan(stack: Stack, *arguments: str, code: int) -> dict[str, Any]:
    done = stack.ctl("plan", "--json", *arguments, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def as_shown(step: dict[str, Any]) -> str:
    """A step as the provider shows it in a preview."""
    lines = []
    for statement in step["statements"]:
        notes = [f"lock: {statement['lock']}"] if statement["lock"] else []
        lines += [*(f"-- {note}" for note in [*notes, *statement["hazards"]]), f"{statement['sql']};"]
    return "\n".join(lines)


def of_plan(report: dict[str, Any]) -> dict[str, str]:
    return {f"{step['verb']} {step['kind']} {step['id']}": as_shown(step) for step in report["steps"]}


def of_preview(report: dict[str, Any]) -> dict[str, str]:
    """The same from the engine: SQL under its resource, drops under the Manifest."""
    found = {}
    for change in report["changes"]:
        kind = change["type"].split(":")[-1]
        if kind != "Manifest":
            found |= {f"{change['op']} {kind} {change['name']}": text for text in change["sql"]}
            continue
        for text in change["sql"]:
            title, _, rest = text.partition(";\n")
            found[f"delete {title.removeprefix('-- ').removesuffix(' is no longer declared')}"] = rest
    return found


def test_unchanged(planned: Stack) -> None:
    assert plan(planned, code=0)["steps"] == []
    assert planned.ctl("preview", "--sql").stdout == "-- no change\n"


def test_the_plan_is_the_preview_and_can_be_run(planned: Stack) -> None:
    declare(planned, AFTER)
    planned.rows("INSERT INTO flows.probe VALUES (1, 2, 'three', 'four') RETURNING id")
    report = plan(planned, code=2)
    found = of_plan(report)
    assert found == of_preview(planned.json("preview"))
    assert {key.split()[1] for key in found} >= {"Table", "View", "Index", "Grant", "RetentionPolicy", "Role"}
    assert found["delete View flows.probe_ids"].endswith('DROP VIEW "flows"."probe_ids";')
    assert "RENAME COLUMN" in found["update Table flows.probe"]
    assert "table rewrite" in found["update Table flows.probe"]
    assert "(1 rows, " in found["update Table flows.probe"]
    with planned.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path TO public")
        for step in report["steps"]:
            for statement in step["statements"]:
                connection.execute(statement["sql"].encode())


def test_the_script_runs_in_psql(planned: Stack) -> None:
    script = planned.ctl("preview", "--sql").stdout
    assert script.count("\nBEGIN;\n") == script.count("\nCOMMIT;") == len(plan(planned, code=2)["steps"])
    once = script.replace("\nBEGIN;\n", "\n").replace("\nCOMMIT;", "\n")
    script_file = planned.root / "rehearsal.sql"
    script_file.write_text(f"BEGIN;\n{once}\nROLLBACK;\n")
    planned.ctl("psql", "--", "-q", "-f", str(script_file))
    script_file.unlink()
    assert len(plan(planned, code=2)["steps"]) > 10


def test_a_plan_is_refused_once_something_moved(planned: Stack) -> None:
    file = planned.root / "plan.json"
    plan(planned, "--out", str(file), code=2)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secrets = planned.outputs()["secrets"]
    assert not [secret for secret in [secrets["jwt"], *secrets["passwords"].values()] if secret in file.read_text()]

    with planned.connect() as connection:
        connection.execute("COMMENT ON VIEW flows.probe_labels IS 'by hand'")
    done = planned.ctl("up", "--plan", str(file), check=False)
    assert done.returncode == 3, done.stderr
    assert "View flows.probe_labels is not as it was then" in done.stderr
    with planned.connect() as connection:
        connection.execute("COMMENT ON VIEW flows.probe_labels IS NULL")

    declare(planned, AFTER.replace("17", "18"))
    done = planned.ctl("up", "--plan", str(file), check=False)
    assert done.returncode == 3
    assert "the program's declarations have changed" in done.stderr
    assert "Role grafanareader would be changed by other statements now" in done.stderr
    declare(planned, AFTER)


def test_an_update_by_plan_runs_exactly_its_statements(planned: Stack) -> None:
    file = planned.root / "plan.json"
    report = plan(planned, "--out", str(file), code=2)
    last = planned.rows("SELECT max(number) FROM pulumi_timescaledb.history")[0][0]
    planned.ctl("up", "--plan", str(file))
    ran = planned.rows(
        "SELECT kind, id, statements FROM pulumi_timescaledb.history WHERE number > %s ORDER BY number", last
    )
    assert {(kind, key): texts for kind, key, texts in ran} == {
        (step["kind"], step["id"]): [statement["sql"] for statement in step["statements"]] for step in report["steps"]
    }
    assert plan(planned, code=0)["steps"] == []
    file.unlink()


def test_a_loss_is_refused_alike_with_rows_and_bytes(planned: Stack) -> None:
    declare(planned, LOSSES)
    report = plan(planned, *KEEP, code=3)
    (refusal,) = report["refusals"]
    assert refusal.startswith('Table flows.probe: the values of column "added" of flows.probe are lost (1 rows, ')
    for verb in ("preview", "up"):
        done = planned.ctl(verb, *KEEP, check=False)
        assert done.returncode == 3, done.stderr
        assert refusal in done.stderr
    declare(planned, AFTER)
    assert plan(planned, code=0)["steps"] == []


def test_a_policy_warns_or_refuses_as_the_stack_says(planned: Stack) -> None:
    forever = (*KEEP, "--config", "registerImportRetention=")
    told = "hypertable-without-retention: Hypertable flows.register_import has no RetentionPolicy"
    report = plan(planned, *forever, code=2)
    (found,) = report["policies"]
    assert (found["level"], found["subject"]) == ("advisory", "Hypertable flows.register_import")
    assert f"warning: {told}" in planned.ctl("plan", *forever, check=False).stdout
    (warning,) = planned.json("preview", *forever)["diagnostics"]
    assert warning["severity"] == "warning"
    assert warning["message"].startswith(told)
    assert warning["urn"].endswith("Manifest::manifest")

    last = planned.rows("SELECT max(number) FROM pulumi_timescaledb.history")
    mandatory = (*forever, "--config", 'policies={"hypertable-without-retention": "mandatory"}')
    assert plan(planned, *mandatory, code=3)["refusals"][0].startswith(told)
    for verb in ("preview", "up"):
        done = planned.ctl(verb, *mandatory, check=False)
        assert done.returncode == 3, done.stderr
        assert told in done.stderr
    assert planned.rows("SELECT max(number) FROM pulumi_timescaledb.history") == last
    mistaken = planned.ctl("plan", "--config", 'policies={"hypertable-with-retention": "off"}', check=False)
    assert mistaken.returncode == 1
    assert "Did you mean hypertable-without-retention?" in mistaken.stderr


def test_a_retry_shows_the_drops_it_still_has_to_do(planned: Stack) -> None:
    declare(planned, BROKEN)
    done = planned.ctl("up", check=False)
    assert done.returncode == 1, done.stderr
    assert 'column "nothing" does not exist' in done.stderr
    for text in (BROKEN, BROKEN.replace("SELECT nothing", "SELECT id")):  # the same again, and corrected
        declare(planned, text)
        found = of_plan(plan(planned, code=2))
        assert found == of_preview(planned.json("preview"))
        assert 'DROP VIEW "flows"."probe_labels"' in found["delete View flows.probe_labels"]
    planned.ctl("up")
    assert plan(planned, code=0)["steps"] == []
    assert planned.json("preview")["changes"] == []


def test_drift_is_told_and_mended_by_the_plan(planned: Stack, tmp_path: Path) -> None:
    with planned.connect() as connection:
        connection.execute("COMMENT ON TABLE flows.probe IS 'by hand'; DROP INDEX flows.probe_label")
    file = tmp_path / "plan.json"
    report = plan(planned, "--out", str(file), code=2)
    assert report["drift"] == {"Table flows.probe": ["comment"], "Index flows.probe_label": []}
    assert {f"{step['kind']} {step['id']}" for step in report["steps"]} == set(report["drift"])
    planned.ctl("up", "--plan", str(file))
    assert plan(planned, code=0)["drift"] == {}


def test_the_preview_of_a_destroy_shows_its_sql(planned: Stack) -> None:
    report = planned.json("destroy", "--preview")
    shown = {change["name"]: change["sql"] for change in report["changes"]}
    assert shown["flows.probe"] == ['DROP TABLE "flows"."probe";']
    assert shown["flows.probe_label"] == [], "it goes with its table"
    assert shown["flows.meter_registry.meter_registry_updated_at"] == [
        'DROP TRIGGER "meter_registry_updated_at" ON "flows"."meter_registry";'
    ]
