"""Extensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Scope
from ..hazards import Hazard, data_loss
from ..specs.extension import Extension
from ..statement import Statement
from .base import Context, Kind, statement


class ExtensionKind(Kind[Extension]):
    """CREATE / ALTER / DROP EXTENSION. One that is not wanted any more is dropped only when nothing uses it (RESTRICT);
    an absent `version` or `schema` leaves what is there."""

    spec = Extension
    sources = ("extension",)
    adopts_existing = True

    def scope(self, identity: tuple[str, ...]) -> Scope:
        return Scope("", identity[0])

    def create(self, new: Extension, context: Context) -> Iterator[Statement]:
        yield statement("extension/create", extension=new)

    def alter(self, old: Extension, new: Extension, context: Context) -> Iterator[Statement]:
        if new.version is not None and new.version != old.version:
            yield _update(old, new)
        if new.schema_ is not None and new.schema_ != old.schema_:
            yield statement("extension/set_schema", extension=new)

    def drop(self, old: Extension, context: Context) -> Iterator[Statement]:
        loss = data_loss(
            f"what the tables of extension {old.name} hold is lost",
            allow=f"drop:{old.import_id()}",
            probe=statement(_probe(old), extension=old).sql,
        )
        yield Statement(statement("extension/drop", extension=old).sql, hazards=(loss,))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Extension]:
        return {
            (row["name"],): Extension(name=row["name"], schema_=row["schema"], version=row["version"])
            for row in catalog.rows("extension")
        }


def _update(old: Extension, new: Extension) -> Statement:
    """TimescaleDB loads its library with the first command of a session, unless that is this one; afterwards the old
    library refuses (src/loader/loader.c). Sessions that have the old one are of no use after it."""
    sql = statement("extension/update", extension=new).sql
    if new.name != "timescaledb":
        warning = "extensions have no downgrade; sessions that loaded the old library keep it"
        return Statement(sql, hazards=(Hazard("irreversible", warning),))
    from_to = f"from {old.version} to {new.version}" if old.version else f"to {new.version}"
    hazards = (
        Hazard("irreversible", f"TimescaleDB goes {from_to} and has no downgrade: make sure of a fresh backup first"),
        Hazard(
            "restart_needed",
            "sessions that are open meanwhile have the old library and fail at their next statement: connection pools "
            "and the REST API must connect again; jobs stop for the moment",
        ),
    )
    return Statement(sql, hazards=hazards, transactional=False, first=True)


def _probe(extension: Extension) -> str:
    """TimescaleDB always owns tables; what can be lost is known by its list of hypertables."""
    return "extension/has_hypertables" if extension.name == "timescaledb" else "extension/has_tables"
