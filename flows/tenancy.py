"""Row-level security: each role sees the rows of its esco (DESIGN 5, DOMAIN 11).

Three policies per table. `flows` is trusted to name its esco in app.current_esco. api_owner is whom the API's views
act for, so its policies decide what an API caller sees. Readers are bound to escos by their role, because an SQL user
can set any setting. `api_private.visible_escos()` knows both rules. Unset means no rows.

Policies are not forced: the owner's refresh jobs, triggers and foreign keys see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.rls_policy import RlsPolicy

from .roles import API_OWNER, APPLICATION, readers
from .settings import Settings

EscoTest = Callable[[str], str]

BY_SETTING = "(select nullif(current_setting('app.current_esco', true), '')::uuid)"
"""The application's esco, looked up once per statement."""
BY_ROLE = "ANY (ARRAY(SELECT api_private.visible_escos()))"
"""The escos of whoever runs the statement, looked up once per statement."""


def by_setting(column: str) -> str:
    """A column holds the esco that the application named."""
    return f"{column} = {BY_SETTING}"


def by_role(column: str) -> str:
    """A column holds an esco that the caller may see."""
    return f"{column} = {BY_ROLE}"


def _direct(column: str) -> Callable[[EscoTest], str]:
    return lambda test: test(column)


def _of_meter(column: str) -> Callable[[EscoTest], str]:
    return lambda test: f"EXISTS (SELECT FROM flows.meter_registry m WHERE m.id = {column} AND {test('m.esco')})"


def _of_feeder(column: str) -> Callable[[EscoTest], str]:
    return lambda test: f"EXISTS (SELECT FROM flows.feeder_registry f WHERE f.id = {column} AND {test('f.esco')})"


def _of_register(column: str) -> Callable[[EscoTest], str]:
    return lambda test: (
        "EXISTS (SELECT FROM flows.meter_registers r JOIN flows.meter_registry m ON m.id = r.meter_id "
        f"WHERE r.register_id = {column} AND {test('m.esco')})"
    )


def _of_service_head(column: str) -> Callable[[EscoTest], str]:
    return lambda test: (
        "EXISTS (SELECT FROM flows.service_head_registry h JOIN flows.feeder_registry f ON f.id = h.feeder "
        f"WHERE h.id = {column} AND {test('f.esco')})"
    )


def _of_site(column: str) -> Callable[[EscoTest], str]:
    return lambda test: f"EXISTS (SELECT FROM flows.sites_new s WHERE s.id = {column} AND {test('s.esco')})"


def _both(*rules: Callable[[EscoTest], str]) -> Callable[[EscoTest], str]:
    return lambda test: " AND ".join(rule(test) for rule in rules)


RULES: dict[str, Callable[[EscoTest], str]] = {
    "escos": _direct("id"),
    "sites_new": _direct("esco"),
    "feeder_registry": _direct("esco"),
    "ev_chargers": _direct("esco"),
    "meter_registry": _direct("esco"),
    "meter_shadows": _of_meter("meter_shadows.id"),
    "meter_registers": _of_meter("meter_registers.meter_id"),
    "meter_tophat_registry": _of_meter("meter_tophat_registry.meter"),
    "meter_event_log": _of_meter("meter_event_log.meter_id"),
    "service_head_registry": _of_feeder("service_head_registry.feeder"),
    "circuit_register": _of_register("circuit_register.register"),
    "service_head_meter": _both(
        _of_meter("service_head_meter.meter"), _of_service_head("service_head_meter.service_head")
    ),
    "properties_service_head": _of_service_head("properties_service_head.service_head"),
    # A function, because circuits and properties are owned by what is linked to them, and a policy that reads the
    # link table while that one's policy reads this one would recurse.
    "circuits": lambda test: "id IN (SELECT api_private.visible_circuits())",
    "properties": lambda test: "id IN (SELECT api_private.visible_properties())",
}
"""Table with row-level security -> which rows belong to an esco."""

NEW_ROWS: dict[str, Callable[[EscoTest], str]] = {
    # Nobody's until a register or service head of an esco is linked; from then on triggers keep it there.
    "circuits": lambda test: "true",
    "properties": lambda test: f"site IS NULL OR {_of_site('properties.site')(test)}",
}
"""Tables whose new rows cannot pass the rule for existing ones."""


def _policies(table: str, settings: Settings) -> Iterator[RlsPolicy]:
    rule, check = RULES[table], NEW_ROWS.get(table)
    # The seed's name for the seed's table.
    name = "meter_esco_isolation" if table == "meter_registry" else f"{table}_esco_isolation"
    for policy, role, test in ((name, APPLICATION, by_setting), (f"{table}_api", API_OWNER, by_role)):
        yield RlsPolicy(
            schema="flows",
            relation=table,
            name=policy,
            command="all",
            roles=(role,),
            using=rule(test),
            check=check(test) if check else None,
        )
    yield RlsPolicy(
        schema="flows",
        relation=table,
        name=f"{table}_readers",
        command="select",
        roles=readers(settings),
        using=rule(by_role),
    )


def declarations(settings: Settings) -> list[Spec]:
    """Every policy."""
    # The application chooses its esco from this list; it holds codes and names, nothing about customers.
    choose = RlsPolicy(
        schema="flows",
        relation="escos",
        name="escos_application_list",
        command="select",
        roles=(APPLICATION,),
        using="true",
    )
    return [choose, *(policy for table in RULES for policy in _policies(table, settings))]
