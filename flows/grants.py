"""The whole set of rights, per role and schema (DOMAIN 10 as overruled by DESIGN 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.grant import Grant, ObjectRights

from . import aggregates, api, backup_ledger, monitoring, views
from .functions import MISSING
from .roles import API_OWNER, API_READER, API_WRITER, APPLICATION, AUTHENTICATOR, readers
from .settings import Settings
from .tables import BY_NAME, PLAIN, SERIES

READ = ("select",)
WRITE = ("select", "insert", "update", "delete")
SCHEMAS = ("flows", "api", "api_private", "monitoring")

SHADOW_STATE = tuple(
    column.name for column in BY_NAME["meter_shadows"].columns if column.name not in ("id", "created_at", "updated_at")
)
"""What syncers and the tariff tools may PATCH."""

API_WRITES: dict[str, tuple[str, ...]] = {
    "sites_new": ("insert", "update"),
    "properties": ("insert", "update"),
    "circuits": ("insert", "update"),
    "feeder_registry": ("insert", "update"),
    "service_head_registry": ("insert", "update"),
    "meter_registry": ("insert", "update"),
    "meter_tophat_registry": ("insert", "update", "delete"),
    "meter_registers": ("insert", "update"),
    "circuit_register": ("insert", "update", "delete"),
    "service_head_meter": ("insert", "delete"),
    "properties_service_head": ("insert", "delete"),
}
"""What the write role may do to configuration. Registries are not deleted there: history refers to them."""

API_COLUMN_UPDATES = {"meter_shadows": SHADOW_STATE, "escos": ("name", "app_url"), "ev_chargers": ("position",)}
"""Tables of which the write role may update some columns only."""

VISIBILITY = ("visible_escos()", "visible_circuits()", "visible_properties()")
CLI = "get_meters_for_cli(text, text)"


def _relations(names: Iterable[str], privileges: tuple[str, ...]) -> list[ObjectRights]:
    return [ObjectRights(name=name, privileges=privileges) for name in names]


def _functions(*signatures: str) -> list[ObjectRights]:
    return [ObjectRights(type="function", name=name, privileges=("execute",)) for name in signatures]


def _writes() -> list[ObjectRights]:
    """What the API's write role may change: on its views, and hence its views' owner on the tables."""
    columns = [
        ObjectRights(name=name, privileges=("update",), columns=names) for name, names in API_COLUMN_UPDATES.items()
    ]
    return [*(ObjectRights(name=name, privileges=rights) for name, rights in API_WRITES.items()), *columns]


def _reads(names: Iterable[str]) -> list[ObjectRights]:
    """SELECT on plain tables, without their secret columns."""
    return [
        ObjectRights(
            name=name,
            privileges=READ,
            columns=api.shown_columns(BY_NAME[name]) if name in api.HIDDEN_COLUMNS else (),
        )
        for name in names
    ]


def merged(rights: Iterable[ObjectRights]) -> tuple[ObjectRights, ...]:
    """One entry per object and set of columns, privileges joined."""
    found: dict[tuple[str, str, tuple[str, ...]], ObjectRights] = {}
    for item in rights:
        key = (item.type, item.name, item.columns)
        if key in found:
            privileges = tuple(dict.fromkeys((*found[key].privileges, *item.privileges)))
            item = item.model_copy(update={"privileges": privileges})
        found[key] = item
    return tuple(found.values())


def _grant(role: str, schema: str, *groups: Iterable[ObjectRights], usage: bool = True) -> Grant:
    return Grant(
        role=role,
        schema=schema,
        privileges=("usage",) if usage else (),
        objects=merged(item for group in groups for item in group),
    )


def _api_views() -> list[str]:
    return [
        *api.table_names(),
        *(table.name for table in SERIES),
        *(f"circuit_interval_{level}" for level in aggregates.BUCKETS),
        *views.COMMENTS,
        *MISSING,
    ]


def _application() -> Iterator[Grant]:
    yield _grant(
        APPLICATION,
        "flows",
        _relations((table.name for table in PLAIN), WRITE),
        _relations((table.name for table in SERIES), ("insert",)),
        _relations(views.COMMENTS, READ),
        _functions(CLI),
    )
    yield _grant(APPLICATION, "api", _relations(_api_views(), READ), _functions(CLI))
    yield _grant(APPLICATION, "api_private", _functions(*VISIBILITY), usage=False)


def _api_owner() -> Iterator[Grant]:
    series = [table.name for table in SERIES]
    levels = [f"circuit_interval_{level}" for level in aggregates.BUCKETS]
    yield _grant(
        API_OWNER,
        "flows",
        _reads(api.table_names()),
        _relations((*series, *levels, *MISSING), READ),
        _writes(),
    )
    yield _grant(API_OWNER, "api_private", _functions(*VISIBILITY))


def _api_roles() -> Iterator[Grant]:
    for role in (API_READER, API_WRITER):
        writes = _writes() if role == API_WRITER else []
        yield _grant(role, "api", _relations(_api_views(), READ), writes, _functions(CLI))
        yield _grant(role, "api_private", _functions("pre_request()", *VISIBILITY))
    # PostgREST names the enum types of a written row; the schema's tables stay closed to it.
    yield _grant(API_WRITER, "flows")


def _readers(settings: Settings) -> Iterator[Grant]:
    plain = [name for name in (table.name for table in PLAIN) if name not in api.HIDDEN_TABLES]
    for role in readers(settings):
        yield _grant(role, "flows", _reads(plain), _relations(views.COMMENTS, READ), _functions(CLI))
        yield _grant(role, "api", _relations(_api_views(), READ), _functions(CLI))
        yield _grant(role, "api_private", _functions(*VISIBILITY), usage=False)
        names = (monitoring.SAMPLES.name, backup_ledger.LEDGER.name, *monitoring.view_names(settings))
        yield _grant(role, "monitoring", _relations(names, READ))


def _nothing(settings: Settings, given: Iterable[Grant]) -> Iterator[Grant]:
    """Empty grants where a role has no business: what somebody grants there by hand is drift, seen and taken back."""
    taken = {(grant.role, grant.schema_) for grant in given}
    for role in (APPLICATION, API_OWNER, API_READER, API_WRITER, AUTHENTICATOR, *readers(settings)):
        for schema in SCHEMAS:
            if (role, schema) not in taken and (role, schema) != (API_OWNER, "api"):  # it owns what is in there
                yield Grant(role=role, schema=schema)


def declarations(settings: Settings) -> list[Spec]:
    """Every grant; PUBLIC gets nothing, which takes EXECUTE from it."""
    given = [
        *(Grant(role="public", schema=schema) for schema in SCHEMAS),
        *_application(),
        *_api_owner(),
        *_api_roles(),
        *_readers(settings),
    ]
    return [*given, *_nothing(settings, given)]
