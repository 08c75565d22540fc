"""The Flows declarations as a whole: complete, named as the seed names them, and consistent among themselves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import flows.sql as templates
from flows import Settings, declarations
from flows.tables import PLAIN, SERIES
from flows.tenancy import RULES
from pulumi_timescaledb.specs import Reference, Spec
from pulumi_timescaledb.specs.base import relation
from pulumi_timescaledb.whole import Whole

SPECS = declarations()
BUILT_IN_ROLES = {"pg_monitor"}

SOFT = {"Hypertable", "RefreshPolicy"}
"""Kinds a spec may refer to for the order's sake, whether or not there is one."""

SEED_TABLES = [
    "circuit_register",
    "circuits",
    "escos",
    "meter_csq",
    "meter_event_log",
    "meter_prepay_balance",
    "meter_registry",
    "meter_shadows",
    "meter_voltage",
    "properties",
    "properties_service_head",
    "register_export",
    "register_import",
    "register_interval_hh",
    "service_head_meter",
    "sites_new",
]
SEED_NAMES = [
    *(("Table", "flows", name) for name in SEED_TABLES),
    *(("Hypertable", "flows", name) for name in SEED_TABLES if name in {t.name for t in SERIES}),
    ("Schema", "flows"),
    ("ContinuousAggregate", "flows", "circuit_interval_daily"),
    ("View", "flows", "meter_shadows_tariffs"),
    ("View", "flows", "meters_low_balance"),
    ("View", "flows", "meters_offline_recently"),
    ("Index", "flows", "idx_register_import_time"),
    ("Index", "flows", "idx_register_import_composite"),
    ("Index", "flows", "idx_meter_shadows_id"),
    ("Columnstore", "flows", "register_import"),
    ("RetentionPolicy", "flows", "register_import"),
    ("Role", "flows"),
    ("Role", "grafanareader"),
    ("Role", "public_backend"),
    ("RlsPolicy", "flows", "meter_registry", "meter_esco_isolation"),
    ("View", "monitoring", "chunk_sizes"),
    ("View", "monitoring", "compression_status"),
    ("Job", "flows", "prune_meter_event_log"),
]


def of(kind: str, specs: list[Spec] | None = None) -> list[Any]:
    return [spec for spec in (SPECS if specs is None else specs) if kind == spec.KIND]


def get(kind: str, *identity: str) -> Any:
    return next(spec for spec in SPECS if spec.reference() == Reference(kind, identity))


def test_counts_are_those_of_the_domain() -> None:
    tables = [table for table in of("Table") if table.schema_ == "flows"]
    assert len(tables) == 25
    assert [table.import_id() for table in of("Table") if table.schema_ != "flows"] == [
        "monitoring.table_size_samples",
        "monitoring.backup_ledger",
        "monitoring.backup_ledger_chunks",
    ]
    assert len(of("Enum")) == 9
    assert len(of("Hypertable")) == len(of("Columnstore")) - 3 == 8
    assert [aggregate.name for aggregate in of("ContinuousAggregate")] == [
        "circuit_interval_hh",
        "circuit_interval_daily",
        "circuit_interval_monthly",
    ]
    assert len(of("MaterializedView")) == 3
    assert sum(view.schema_ == "flows" for view in of("View")) == 5


@pytest.mark.parametrize("wanted", SEED_NAMES, ids=".".join)
def test_every_name_of_the_seed_is_declared(wanted: tuple[str, ...]) -> None:
    assert Reference(wanted[0], wanted[1:]) in {spec.reference() for spec in SPECS}


def test_the_daily_aggregate_has_the_shape_of_the_seed() -> None:
    daily = get("ContinuousAggregate", "flows", "circuit_interval_daily")
    assert set(daily.column_comments) == {"circuit_id", "day", "total_import_kwh", "total_export_kwh"}
    assert daily.materialized_only is False
    assert get("Hypertable", "flows", "register_import").chunk_interval == "1 day"
    assert get("Columnstore", "flows", "register_import").after == "7 days"
    assert get("RetentionPolicy", "flows", "register_import").drop_after == "2 years"


def test_identities_are_unique() -> None:
    twice = [str(ref) for ref, count in Counter(spec.reference() for spec in SPECS).items() if count > 1]
    assert not twice
    relations = Counter(ref for spec in SPECS for ref in spec.provides() if ref.kind == "Relation")
    assert max(relations.values()) == 1


def test_every_reference_is_declared() -> None:
    known = {ref for spec in SPECS for ref in (spec.reference(), *spec.provides())}
    for spec in SPECS:
        for ref in spec.references():
            if ref.kind in SOFT or (ref.kind == "Role" and ref.identity[0] in BUILT_IN_ROLES):
                continue
            assert ref in known, f"{spec.reference()} refers to {ref}"


def test_every_mention_of_a_flows_name_is_declared() -> None:
    known = {spec.identity()[:2] for spec in SPECS}
    schemas = {schema.name for schema in of("Schema")}
    for spec in SPECS:
        for name in spec.mentions():
            if name[0] in schemas and len(name) > 1:
                assert name[:2] in known, f"{spec.reference()} mentions {'.'.join(name)}"


def test_there_is_an_order_of_creation() -> None:
    for settings in (Settings(), Settings(tableau_enabled=True, query_statistics=True)):
        whole = Whole(declarations(settings))
        assert len(whole.creation_order) == len(whole.specs)


def test_the_manifest_survives_packing() -> None:
    assert Whole.unpack(Whole(SPECS).pack()).specs == Whole(SPECS).specs


def test_every_table_view_and_function_has_a_comment() -> None:
    for kind in ("Table", "View", "MaterializedView", "ContinuousAggregate", "Function", "Enum", "Schema", "Role"):
        for spec in of(kind):
            assert spec.comment, spec.reference()
    for table in of("Table"):
        assert all(column.comment for column in table.columns), table.reference()


def test_every_api_view_is_documented_and_safe() -> None:
    for view in of("View"):
        if view.schema_ != "api":
            continue
        assert view.owner == "api_owner"
        assert view.security_barrier
        assert not view.security_invoker
        assert view.column_comments
        assert all(view.column_comments.values()), view.reference()


def test_api_views_over_series_carry_the_esco_predicate() -> None:
    unprotected = {table.name for table in SERIES} | {spec.name for spec in of("ContinuousAggregate")}
    unprotected |= {spec.name for spec in of("MaterializedView")}
    for view in of("View"):
        read = {name[1] for name in view.mentions() if name[0] == "flows" and len(name) > 1}
        if view.schema_ in ("api", "flows") and read & unprotected:
            assert "api_private.visible_" in view.query, view.reference()


def test_the_charger_pin_is_shown_to_no_read_role() -> None:
    assert "pin" not in get("View", "api", "ev_chargers").column_comments
    for grant in of("Grant", declarations(Settings(tableau_enabled=True))):
        for item in grant.objects:
            if item.name == "ev_chargers" and grant.schema_ == "flows" and grant.role != "flows":
                assert item.columns
                assert "pin" not in item.columns


def test_every_foreign_key_has_an_index() -> None:
    for key in of("ForeignKey"):
        table = get("Table", key.schema_, key.relation)
        leading = [table.primary_key.columns] if table.primary_key else []
        leading += [unique.columns for unique in table.unique]
        leading += [
            tuple(part.column for part in index.keys) for index in of("Index") if index.relation == key.relation
        ]
        assert any(columns[: len(key.columns)] == key.columns for columns in leading), key.reference()


def test_unique_keys_of_hypertables_contain_the_time_column() -> None:
    for hypertable in of("Hypertable"):
        table = get("Table", "flows", hypertable.relation)
        keys = [unique.columns for unique in table.unique]
        keys += [table.primary_key.columns] if table.primary_key else []
        keys += [
            tuple(part.column for part in index.keys)
            for index in of("Index")
            if index.relation == hypertable.relation and index.unique
        ]
        assert all(hypertable.time_column in columns for columns in keys), table.name


def test_every_hypertable_has_a_time_index() -> None:
    for hypertable in of("Hypertable"):
        assert any(
            index.relation == hypertable.relation and index.keys[0].column == "timestamp" for index in of("Index")
        ), hypertable.relation


def test_row_level_security_and_policies_match() -> None:
    protected = {table.name for table in PLAIN if table.row_level_security}
    assert protected == set(RULES)
    assert not any(table.row_level_security for table in SERIES)
    assert not any(table.force_row_level_security for table in of("Table"))
    for name in protected:
        roles = {role for policy in of("RlsPolicy") if policy.relation == name for role in policy.roles}
        assert roles == {"flows", "api_owner", "grafanareader"}, name


def test_the_seeds_policy_fails_closed() -> None:
    policy = get("RlsPolicy", "flows", "meter_registry", "meter_esco_isolation")
    assert policy.command == "all"
    assert policy.roles == ("flows",)
    assert policy.using == "esco = (select nullif(current_setting('app.current_esco', true), '')::uuid)"


def test_grants_name_declared_objects_and_columns() -> None:
    known = {ref for spec in SPECS for ref in (spec.reference(), *spec.provides())}
    for grant in of("Grant"):
        for item in grant.objects:
            if item.type == "relation":
                assert relation(grant.schema_, item.name) in known, (grant.role, item.name)
                _columns_exist(grant.schema_, item)


def _columns_exist(schema: str, item: Any) -> None:
    if schema == "flows" and item.columns:
        table = get("Table", "flows", item.name)
        assert all(table.column(column) for column in item.columns)
    elif item.columns:
        assert set(item.columns) <= set(get("View", schema, item.name).column_comments)


def test_the_rights_of_every_role_in_every_schema_are_declared() -> None:
    """Where a role has none, an empty Grant sees what somebody grants by hand."""
    declared = {(grant.role, grant.schema_) for grant in of("Grant")}
    roles, schemas = {role.name for role in of("Role")} | {"public"}, {schema.name for schema in of("Schema")}
    assert declared == {(role, schema) for role in roles for schema in schemas} - {("api_owner", "api")}


def test_api_roles_have_rights_on_the_api_only() -> None:
    for grant in of("Grant"):
        if grant.role in ("public_backend", "flows_api_writer") and grant.schema_ not in ("api", "api_private"):
            allowed = ("usage",) if (grant.role, grant.schema_) == ("flows_api_writer", "flows") else ()
            assert (grant.objects, grant.defaults, grant.privileges) == ((), (), allowed)
        if grant.role == "public_backend" and grant.schema_ == "api":
            assert all(item.privileges in (("select",), ("execute",)) for item in grant.objects)


def test_nobody_reads_series_across_escos() -> None:
    closed = {table.name for table in SERIES} | {spec.name for spec in of("ContinuousAggregate")}
    for grant in of("Grant"):
        for item in grant.objects:
            if grant.schema_ == "flows" and item.name in closed and grant.role != "api_owner":
                assert (grant.role, item.privileges) == ("flows", ("insert",))


def test_public_gets_nothing_in_any_schema() -> None:
    grants = [grant for grant in of("Grant") if grant.role == "public"]
    assert {grant.schema_ for grant in grants} == {schema.name for schema in of("Schema")}
    assert not any(grant.privileges or grant.objects or grant.defaults for grant in grants)


def test_definers_and_triggers_have_a_fixed_search_path() -> None:
    for function in of("Function"):
        # A procedure with SET cannot end the transaction, which refreshing an aggregate does.
        if function.name != "refresh_circuit_aggregates":
            assert function.settings["search_path"] == "", function.reference()


def test_tableau_is_optional() -> None:
    assert not any("tableau" in str(spec.reference()) for spec in SPECS)
    with_tableau = declarations(Settings(tableau_enabled=True))
    assert {grant.schema_ for grant in of("Grant", with_tableau) if grant.role == "tableau"} == {
        "flows",
        "api",
        "api_private",
        "monitoring",
    }


def test_materialized_views_can_be_refreshed_while_they_are_read() -> None:
    unique = {index.relation for index in of("Index") if index.unique and index.where is None}
    assert {view.name for view in of("MaterializedView")} <= unique


def test_every_template_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    environment = templates._ENVIRONMENT
    find = environment.loader.get_source

    def record(env: Any, template: str) -> Any:
        used.add(template)
        return find(env, template)

    monkeypatch.setattr(environment.loader, "get_source", record)
    environment.cache.clear()
    declarations(Settings(jwt_aud="flows", query_statistics=True))
    declarations(Settings(edition="apache"))
    folder = templates.TEMPLATES
    assert used == {path.relative_to(folder).as_posix() for path in folder.rglob("*.j2")}
