"""Plans of roles, memberships, grants and settings that a life on the embedded server does not show."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.settings import setting_value
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.grant import Grant
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership
from pulumi_timescaledb.specs.server_setting import ServerSetting
from pulumi_timescaledb.statement import Refused

POSTGRES_15 = Context(ServerCapabilities(postgres=(15, 4)))


def planned(old: Spec | None, new: Spec | None, context: Context | None = None) -> list[str]:
    """The SQL of a plan."""
    kind = kind_of((old or new).KIND)  # type: ignore[union-attr]
    return [" ".join(each.sql.split()) for each in kind.plan(old, new, context or Context())]


def grant(*objects: dict[str, Any], role: str = "reader", **values: Any) -> Grant:
    """A Grant in schema s."""
    return Grant.model_validate({"role": role, "schema": "s", "privileges": ["usage"], "objects": objects, **values})


def test_order_and_duplicates_mean_nothing_in_a_grant() -> None:
    one = grant(
        {"name": "b", "privileges": ["select", "insert"]},
        {"name": "a", "privileges": ["update"], "columns": ["y", "x"]},
        {"name": "a", "privileges": ["SELECT"], "columns": ["x"]},
        {"name": "f(int,text)", "type": "function", "privileges": ["execute"]},
    )
    other = grant(
        {"name": "f(integer, text)", "type": "function", "privileges": ["execute"]},
        {"name": "a", "privileges": ["select", "update"], "columns": ["x"]},
        {"name": "b", "privileges": ["insert"]},
        {"name": "a", "privileges": ["update"], "columns": ["y"]},
        {"name": "b", "privileges": ["select", "select"]},
    )
    assert one == other
    assert planned(one, other) == []
    assert Grant.from_wire(one.to_wire()) == one


def test_objects_with_equal_rights_share_a_statement() -> None:
    tables = [{"name": f"t{number}", "privileges": ["select"]} for number in range(3)]
    assert planned(None, grant(*tables)) == [
        'GRANT SELECT ON TABLE "s"."t0", "s"."t1", "s"."t2" TO "reader"',
        'GRANT USAGE ON SCHEMA "s" TO "reader"',
    ]
    assert planned(grant(*tables), grant(tables[0])) == ['REVOKE SELECT ON TABLE "s"."t1", "s"."t2" FROM "reader"']


def test_a_right_on_columns_survives_the_loss_of_the_same_right_on_the_table() -> None:
    column = {"name": "t", "privileges": ["select"], "columns": ["x"]}
    assert planned(grant(column, {"name": "t", "privileges": ["select", "insert"]}), grant(column)) == [
        'REVOKE INSERT, SELECT ON TABLE "s"."t" FROM "reader"',
        'GRANT SELECT ("x") ON TABLE "s"."t" TO "reader"',
    ]


def test_a_role_without_rights_gets_no_statement() -> None:
    """The Grant is there to see what somebody grants by hand."""
    nothing = grant(privileges=[])
    assert kind_of("Grant").plan(None, nothing, Context()) == []
    assert kind_of("Grant").absent(nothing.identity()) == nothing


@pytest.mark.parametrize(
    "faulty",
    [
        {"name": "t", "privileges": ["execute"]},
        {"name": "t", "privileges": ["delete"], "columns": ["x"]},
        {"name": "f", "type": "function", "privileges": ["execute"]},
        {"name": "s", "type": "sequence", "privileges": ["usage"], "columns": ["x"]},
    ],
)
def test_faulty_rights_are_refused(faulty: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  several faults, one check each
        grant(faulty)


def test_system_settings_are_written_outside_transactions_behind_a_guard() -> None:
    setting = ServerSetting(name="Work_Mem", value="5MB", scope="system")
    statements = kind_of("ServerSetting").plan(None, setting, Context())
    assert [each.transactional for each in statements] == [True, False, True]
    assert "postmaster" in statements[0].sql
    assert statements[1].sql == """ALTER SYSTEM SET "work_mem" TO '5MB'"""
    assert planned(setting, None)[1:] == ['ALTER SYSTEM RESET "work_mem"', "SELECT pg_catalog.pg_reload_conf()"]
    with pytest.raises(Refused, match="no ALTER SYSTEM"):
        planned(None, setting, Context(ServerCapabilities(concurrent_index=False)))


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        ('"$user", Public', "'$user', 'public'"),
        ('"a,""b", c', "'a,\"b', 'c'"),
        ("", "''"),
        ('""', "''"),
        ("it's", "'it''s'"),
    ],
)
def test_lists_of_names_are_quoted_one_by_one(value: str, sql: str) -> None:
    assert setting_value("search_path", value) == sql
    assert setting_value("work_mem", "a, b") == "'a, b'"


def test_memberships_before_postgresql_16() -> None:
    plain, admin = (RoleMembership(role="a", member="b", admin=admin) for admin in (False, True))
    assert planned(None, plain, POSTGRES_15) == ['GRANT "a" TO "b"']
    assert planned(plain, admin, POSTGRES_15) == ['GRANT "a" TO "b" WITH ADMIN OPTION']
    assert planned(admin, plain, POSTGRES_15) == ['REVOKE ADMIN OPTION FOR "a" FROM "b"']
    assert planned(plain, None, POSTGRES_15) == ['REVOKE "a" FROM "b"']
    with pytest.raises(Refused, match="PostgreSQL 16"):
        planned(None, RoleMembership(role="a", member="b", inherit=False), POSTGRES_15)


def test_a_password_is_neither_shown_nor_sent() -> None:
    role = Role(name="r", login=True, password="secret")
    statements = kind_of("Role").plan(None, role, Context())
    assert [each.sql for each in statements] == ['CREATE ROLE "r" WITH LOGIN', "ALTER ROLE \"r\" PASSWORD '********'"]
    assert statements == kind_of("Role").plan(None, role, Context())
    assert "secret" not in repr(statements) + statements[1].executable()
    assert "PASSWORD 'SCRAM-SHA-256$4096:" in statements[1].executable()
    assert planned(role, role.model_copy(update={"password": None})) == []
