"""The schema api, which PostgREST exposes, and the functions behind it (DESIGN 5, DOMAIN 12).

Its views belong to api_owner, which has no power but select (and what the write role needs) on the tables, and obeys
their policies. Views over hypertables and aggregates, which cannot have policies, carry the esco predicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.function import Function
from pulumi_timescaledb.specs.table import Table
from pulumi_timescaledb.specs.view import View

from . import aggregates, views
from .functions import FIXED, MISSING, meters_for_cli
from .role_prefix import prefixed
from .roles import API_OWNER, API_READER, API_WRITER, GRAFANA, SETTING_ROLES, TABLEAU, readers
from .settings import LEVELS, Settings
from .sql import sql
from .tables import BY_NAME, PLAIN, SERIES

HIDDEN_TABLES = frozenset({"meter_metrics"})
"""Plain tables that are no business of API callers."""
HIDDEN_COLUMNS = {"ev_chargers": frozenset({"pin"})}
"""Secrets: shown to no read role, in the API or outside."""


def shown_columns(table: Table) -> tuple[str, ...]:
    """Columns that read roles may see."""
    hidden = HIDDEN_COLUMNS.get(table.name, frozenset())
    return tuple(column.name for column in table.columns if column.name not in hidden)


def table_names() -> tuple[str, ...]:
    """Plain tables with an API view."""
    return tuple(table.name for table in PLAIN if table.name not in HIDDEN_TABLES)


def _view(name: str, query: str, comment: str, column_comments: Mapping[str, str]) -> View:
    return View(
        schema="api",
        name=name,
        query=query,
        security_barrier=True,
        owner=API_OWNER,
        comment=comment,
        column_comments=column_comments,
    )


def _template_view(
    name: str, template: str, comment: str, column_comments: Mapping[str, str], order_by: str | None = None
) -> View:
    query = sql(f"views/{template}", relation=name, columns=list(column_comments), order_by=order_by)
    return _view(name, query, comment, column_comments)


def _table_view(table: Table, template: str, order_by: str | None = None) -> View:
    comments = {name: column.comment or "" for name in shown_columns(table) if (column := table.column(name))}
    return _template_view(table.name, template, table.comment or "", comments, order_by)


def _views(settings: Settings) -> Iterator[View]:
    for name in table_names():
        yield _table_view(BY_NAME[name], "api_table")
    for table in SERIES:
        kind = "register" if table.columns[0].name == "register_id" else "meter"
        yield _table_view(table, f"api_{kind}_series", "timestamp")
    for level, _ in LEVELS:
        comments = aggregates.column_comments(level)
        yield _template_view(f"circuit_interval_{level}", "api_circuit_series", aggregates.COMMENTS[level], comments)
    for name, query in views.queries(settings).items():
        yield _view(name, query, *views.COMMENTS[name])
    for name in MISSING:
        comment = views.missing_comment(name)
        yield _template_view(name, "api_register_series", comment, views.MISSING_COMMENTS, "date")


def _private(name: str, returns: str, body: str, comment: str, *, language: str = "sql") -> Function:
    return Function(
        schema="api_private",
        name=name,
        returns=returns,
        language=language,
        body=f"\n{body}\n",
        volatility="stable" if language == "sql" else "volatile",
        security_definer=True,
        settings=FIXED,
        comment=comment,
    )


def _scopes(settings: Settings) -> list[tuple[str, str]]:
    texts = {GRAFANA: settings.grafana_escos, TABLEAU: settings.tableau_escos}
    codes = [(role, code.strip()) for role in readers(settings) for code in texts[role].split(",")]
    scopes = [(role, code) for role, code in codes if code] or [(GRAFANA, "")]
    return [(*prefixed(settings, role), code) for role, code in scopes]


def _scope_view(settings: Settings) -> View:
    return View(
        schema="api_private",
        name="role_scope",
        query=sql("views/role_scope", scopes=_scopes(settings)),
        comment="Which escos a reading role may see, by code; * is all. From the stack's configuration.",
        column_comments={"role_name": "Role.", "esco_code": "Code of an esco, or *."},
    )


def declarations(settings: Settings) -> list[Spec]:
    """API views, the rpc function and the functions behind them."""
    pre_request = sql(
        "functions/pre_request", api_roles=prefixed(settings, API_READER, API_WRITER), jwt_aud=settings.jwt_aud
    )
    return [
        _scope_view(settings),
        _private(
            "visible_escos",
            "SETOF uuid",
            sql("functions/visible_escos", setting_roles=prefixed(settings, *SETTING_ROLES)),
            "Escos the caller may see: by app.current_esco, by the role's scope, or all for the owner.",
        ),
        _private(
            "visible_circuits",
            "SETOF uuid",
            sql("functions/visible_circuits"),
            "Circuits all of whose registers belong to escos the caller may see.",
        ),
        _private(
            "visible_properties",
            "SETOF uuid",
            sql("functions/visible_properties"),
            "Properties whose site, or else every service head, belongs to an esco the caller may see.",
        ),
        _private(
            "pre_request",
            "void",
            pre_request,
            "Runs before each request: takes the esco from the token into app.current_esco, or refuses.",
            language="plpgsql",
        ),
        *_views(settings),
        meters_for_cli("api", "api"),
    ]
