"""The whole matrix: role × relation × command, and what functions, schemas and memberships allow."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from psycopg.errors import InsufficientPrivilege

from .conftest import Stack
from .test_tenancy_sql import AGGREGATES, API, GLOBAL, ISOLATED, SERIES, VIEWS

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

API_ROLES = ("public_backend", "flows_api_writer")
ROLES = ("flows", "grafanareader", "authenticator", "api_owner", *API_ROLES)
MISSING = ("register_interval_hh_missing", "register_import_missing", "register_export_missing")
WRITE = {"SELECT", "INSERT", "UPDATE", "DELETE"}
Rights = dict[str, set[str]]

RIGHTS = """
SELECT concat(n.nspname, '.', c.relname), array_agg(DISTINCT p.privilege)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN'])
    AS p(privilege)
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S', 'f')
    AND (n.nspname IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb', 'public')
        OR n.nspname = '_timescaledb_internal'
            AND c.relname ~ '^(_hyper|_materialized|_partial|_direct|compress_hyper|_compressed)')
    AND (has_table_privilege(%(role)s, c.oid, p.privilege)
        OR p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
            AND has_any_column_privilege(%(role)s, c.oid, p.privilege))
GROUP BY 1
"""


def each(schema: str, names: Iterable[str], rights: set[str]) -> Rights:
    return {f"{schema}.{name}": set(rights) for name in names}


API_READS = each("api", (*API, *MISSING, "meter_event_log_type"), {"SELECT"})
API_WRITES = {
    **each(
        "api",
        ("sites_new", "properties", "circuits", "feeder_registry", "service_head_registry", "meter_registry"),
        {"SELECT", "INSERT", "UPDATE"},
    ),
    **each("api", ("meter_tophat_registry", "circuit_register"), WRITE),
    **each("api", ("service_head_meter", "properties_service_head"), {"SELECT", "INSERT", "DELETE"}),
    "api.meter_registers": {"SELECT", "INSERT", "UPDATE"},
    **each("api", ("meter_shadows", "escos", "ev_chargers"), {"SELECT", "UPDATE"}),
}
MONITORING = each(
    "monitoring",
    (
        *("chunk_sizes", "compression_status", "table_sizes", "table_growth", "job_status", "connections_by_role"),
        *("replication_lag", "archive_status", "table_size_samples", "backup_status", "backup_ledger"),
    ),
    {"SELECT"},
)
INSIDE = "_timescaledb_internal."
"""Chunks and the like get their hypertable's rights: no role but the hypertable's users may have any there."""
EXPECTED: dict[str, Rights] = {
    "authenticator": {},
    "public_backend": API_READS,
    "flows_api_writer": {**API_READS, **API_WRITES},
    "flows": {
        **each("flows", (*ISOLATED, *GLOBAL), WRITE),
        **each("flows", SERIES, {"INSERT"}),
        **each("flows", VIEWS, {"SELECT"}),
        **API_READS,
    },
    "grafanareader": {
        **each("flows", (*ISOLATED, "meter_event_log_type", *VIEWS), {"SELECT"}),
        **API_READS,
        **MONITORING,
    },
}


def rights_of(stack: Stack, role: str) -> tuple[Rights, Rights]:
    """What a role may do to relations outside and inside TimescaleDB's own schema."""
    with stack.connect() as connection:
        found = {name: set(rights) for name, rights in connection.execute(RIGHTS.encode(), {"role": role})}
    inside = {name: rights for name, rights in found.items() if name.startswith(INSIDE)}
    return {name: rights for name, rights in found.items() if name not in inside}, inside


@pytest.mark.parametrize("role", EXPECTED)
def test_rights_on_relations(stack: Stack, role: str) -> None:
    outside, inside = rights_of(stack, role)
    assert outside == EXPECTED[role]
    if role == "flows":
        assert set().union(*inside.values()) == {"INSERT"}
    else:
        assert inside == {}


def test_rights_of_the_owner_of_the_api(stack: Stack) -> None:
    """It owns the API's views and may do to tables what they need, nothing else."""
    found, inside = rights_of(stack, "api_owner")
    assert set().union(*inside.values()) == {"SELECT"}
    assert {name for name in found if not name.startswith("api.")} == {
        f"flows.{name}" for name in (*ISOLATED, "meter_event_log_type", *SERIES, *AGGREGATES, *MISSING)
    }
    for name, rights in found.items():
        if name.startswith("flows."):
            assert rights == EXPECTED["flows_api_writer"][name.replace("flows.", "api.")], name
    owned = stack.rows("""
        SELECT c.relkind, count(*) FROM pg_class c
        WHERE c.relowner = 'api_owner'::regrole AND c.relkind <> 'i' GROUP BY 1
    """)
    assert [kind for kind, _ in owned] == ["v"]


@pytest.mark.parametrize("role", API_ROLES)
def test_api_roles_are_refused_outside_the_api(stack: Stack, role: str) -> None:
    """What the matrix says, asked for real: every relation and chunk."""
    relations = stack.rows("""
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'v', 'm')
            AND (n.nspname IN ('flows', 'api_private', 'monitoring', 'pulumi_timescaledb')
                OR n.nspname = '_timescaledb_internal' AND c.relname ~ '^_(hyper|materialized|partial|direct)')
    """)
    assert len(relations) > 60
    assert any("_chunk" in name for (name,) in relations)
    with stack.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(f"SET LOCAL ROLE {role}".encode())
        for (relation,) in relations:
            with pytest.raises(InsufficientPrivilege), connection.transaction():
                connection.execute(f"SELECT FROM {relation} LIMIT 1".encode())


@pytest.mark.parametrize("column", ["pin"])
def test_no_reading_role_may_see_the_pin(stack: Stack, column: str) -> None:
    for role in ("grafanareader", "api_owner", *API_ROLES):
        allowed = "SELECT has_column_privilege(%s, 'flows.ev_chargers', %s, 'SELECT')"
        assert stack.rows(allowed, role, column) == [(False,)], role
    assert stack.rows("SELECT has_column_privilege('grafanareader', 'flows.ev_chargers', 'serial', 'SELECT')") == [
        (True,)
    ]


def test_schemas_are_open_to_whom_they_serve(stack: Stack) -> None:
    found = stack.rows(
        """
        SELECT r.rolname, array_agg(n.nspname::text ORDER BY n.nspname),
            bool_or(has_schema_privilege(r.oid, n.oid, 'CREATE'))
        FROM pg_roles r, pg_namespace n
        WHERE r.rolname = ANY (%s) AND has_schema_privilege(r.oid, n.oid, 'USAGE')
            AND n.nspname IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb')
        GROUP BY 1
        """,
        list(ROLES),
    )
    assert {role: schemas for role, schemas, _ in found} == {
        "flows": ["api", "flows"],
        "grafanareader": ["api", "flows", "monitoring"],
        "api_owner": ["api", "api_private", "flows"],
        "public_backend": ["api", "api_private"],
        "flows_api_writer": ["api", "api_private", "flows"],  # PostgREST names the types of flows in a write
    }
    assert {role for role, _, creates in found if creates} <= {"api_owner"}
    assert stack.rows("SELECT has_schema_privilege('public', 'public', 'CREATE')") == [(False,)]


def test_public_may_nothing(stack: Stack) -> None:
    """0 as grantee is PUBLIC; no entry at all means the defaults, which open functions to it."""
    assert (
        stack.rows("""
        SELECT p.oid::regprocedure::text FROM pg_proc p
        CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace::regnamespace::text IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb')
            AND a.grantee = 0
    """)
        == []
    )
    assert (
        stack.rows("""
        SELECT c.oid::regclass::text FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
        WHERE c.relnamespace::regnamespace::text IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb')
            AND a.grantee = 0
        UNION ALL
        SELECT nspname FROM pg_namespace CROSS JOIN LATERAL aclexplode(nspacl) a
        WHERE nspname IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb') AND a.grantee = 0
    """)
        == []
    )


def test_functions_and_their_callers(stack: Stack) -> None:
    found = stack.rows(
        """
        SELECT p.proname, array_agg(r.rolname::text ORDER BY r.rolname) FROM pg_proc p, pg_roles r
        WHERE p.pronamespace::regnamespace::text IN ('flows', 'api', 'api_private', 'monitoring')
            AND r.rolname = ANY (%s) AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
        GROUP BY p.oid, p.proname
        """,
        list(ROLES),
    )
    visibility = sorted(("api_owner", "flows", "flows_api_writer", "grafanareader", "public_backend"))
    for name, roles in found:
        if name.startswith("visible_"):
            assert roles == visibility, name
    assert {name for name, _ in found if not name.startswith("visible_")} == {"get_meters_for_cli", "pre_request"}
    assert [roles for name, roles in found if name == "pre_request"] == [["flows_api_writer", "public_backend"]]


def test_definer_s_functions_fix_their_search_path(stack: Stack) -> None:
    found = stack.rows("""
        SELECT p.oid::regprocedure::text, p.prosecdef, p.prokind,
            coalesce((SELECT c FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'), '')
        FROM pg_proc p
        WHERE p.pronamespace::regnamespace::text IN ('flows', 'api', 'api_private', 'monitoring', 'pulumi_timescaledb')
    """)
    definers = [name for name, definer, _, _ in found if definer]
    assert len(definers) >= 14
    assert [name for name, definer, _, path in found if definer and path != 'search_path=""'] == []
    # All others too, but for the procedure, which commits and so cannot have a setting.
    assert [name for name, _, kind, path in found if path != 'search_path=""' and kind != "p"] == []


def test_roles_hold_no_power(stack: Stack) -> None:
    found = stack.rows(
        """
        SELECT rolname, rolcanlogin, rolinherit FROM pg_roles
        WHERE rolname = ANY (%s)
            AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        """,
        list(ROLES),
    )
    assert {role for role, _, _ in found} == set(ROLES)
    assert {role for role, login, _ in found if login} == {"flows", "grafanareader", "authenticator"}
    assert {role for role, _, inherits in found if not inherits} == {"authenticator"}
    members = stack.rows(
        """
        SELECT member::regrole::text, roleid::regrole::text, inherit_option, admin_option FROM pg_auth_members
        WHERE member::regrole::text = ANY (%s)
        """,
        list(ROLES),
    )
    assert sorted(members) == [
        ("authenticator", "flows_api_writer", False, False),
        ("authenticator", "public_backend", False, False),
        ("grafanareader", "pg_monitor", True, False),
    ]


def test_views_keep_their_side_of_tenancy(stack: Stack) -> None:
    found = stack.rows("""
        SELECT c.oid::regclass::text, c.relowner::regrole::text, coalesce(c.reloptions, '{}')
        FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace::regnamespace::text IN ('api', 'flows')
    """)
    for name, owner, options in found:
        if name.startswith("api."):
            assert (owner, options) == ("api_owner", ["security_barrier=true"]), name
        elif name.split(".")[1] not in AGGREGATES:
            assert set(options) & {"security_barrier=true", "security_invoker=true"}, name
