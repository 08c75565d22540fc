"""Roles and memberships (DOMAIN 10 as overruled by DESIGN 5).

tsdbadmin, the administrator's login that owns everything, comes with the server and is not declared here.
"""

from __future__ import annotations

from pulumi_timescaledb.interval import parse_interval
from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.role_membership import RoleMembership

from .settings import Settings

APPLICATION = "flows"
API_OWNER = "api_owner"
API_READER = "public_backend"
API_WRITER = "flows_api_writer"
AUTHENTICATOR = "authenticator"
GRAFANA = "grafanareader"
TABLEAU = "tableau"

SETTING_ROLES = (APPLICATION, API_READER, API_WRITER)
"""Roles whose esco comes from the setting app.current_esco: the application sets it itself, the API roles cannot."""


def readers(settings: Settings) -> tuple[str, ...]:
    """Login roles that read and whose escos are bound to the role."""
    return (GRAFANA, TABLEAU) if settings.tableau_enabled else (GRAFANA,)


def milliseconds(interval: str) -> str:
    """An interval as a timeout setting takes it."""
    return f"{parse_interval(interval).approximate_days() * 86_400_000:.0f}ms"


def _reader(name: str, comment: str, settings: Settings) -> Role:
    return Role(
        name=name,
        login=True,
        connection_limit=settings.grafana_connection_limit if name == GRAFANA else -1,
        settings={
            "default_transaction_read_only": "on",
            "statement_timeout": milliseconds(settings.grafana_statement_timeout),
        },
        comment=comment,
    )


def declarations(settings: Settings) -> list[Spec]:
    """Every role but tsdbadmin; login roles get their passwords from the component that realises them."""
    timeout = {"statement_timeout": milliseconds(settings.api_statement_timeout)}
    specs: list[Spec] = [
        Role(name=APPLICATION, login=True, comment="The Flows application: reads and writes one esco at a time."),
        Role(name=API_OWNER, comment="Owns the API's views and no table; nobody logs in as it."),
        Role(name=API_READER, settings=timeout, comment="What a read token of the API becomes."),
        Role(name=API_WRITER, settings=timeout, comment="What a write token of the API becomes."),
        Role(name=AUTHENTICATOR, login=True, inherit=False, comment="PostgREST's login; may only become an API role."),
        _reader(GRAFANA, "Dashboards and monitoring, read only.", settings),
    ]
    if settings.tableau_enabled:
        specs.append(_reader(TABLEAU, "Reporting, read only.", settings))
    return [
        *specs,
        RoleMembership(role=API_READER, member=AUTHENTICATOR, inherit=False),
        RoleMembership(role=API_WRITER, member=AUTHENTICATOR, inherit=False),
        RoleMembership(role="pg_monitor", member=GRAFANA),
    ]
