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
            warning = Hazard(
                "irreversible", "extensions have no downgrade; sessions that loaded the old library keep it"
            )
            yield Statement(statement("extension/update", extension=new).sql, hazards=(warning,))
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


def _probe(extension: Extension) -> str:
    """TimescaleDB always owns tables; what can be lost is known by its list of hypertables."""
    return "extension/has_hypertables" if extension.name == "timescaledb" else "extension/has_tables"
