"""An extension of the database."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import Name, Named, Spec


class Extension(Spec):
    """CREATE EXTENSION. Without `version` the server's default is installed and never updated."""

    KIND: ClassVar[str] = "Extension"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Schema", ("schema_",)),)
    VOLATILE: ClassVar[frozenset[str]] = Spec.VOLATILE | {"edition"}

    name: Name = Field(description="Extension name, for example timescaledb.")
    schema_: Name | None = Field(default=None, description="Schema for its objects; the server decides when absent.")
    version: str | None = Field(default=None, description="Exact version; a change runs ALTER EXTENSION UPDATE.")

    edition: Literal["community", "apache"] | None = Field(
        default=None,
        description="Edition of TimescaleDB that the program is written for; a server with the other one is refused "
        "before any change. Only for timescaledb.",
    )

    @model_validator(mode="after")
    def _only_timescaledb_has_editions(self) -> Self:
        if self.edition is not None and self.name != "timescaledb":
            raise ValueError(f'only the extension timescaledb has editions, not "{self.name}"')
        return self

    def identity(self) -> tuple[str, ...]:
        return (self.name,)
