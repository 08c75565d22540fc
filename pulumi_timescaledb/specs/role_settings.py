"""What a role that is made elsewhere has in this database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from .base import Name, Named, Spec
from .role import sorted_settings


class RoleSettings(Spec):
    """ALTER ROLE IN DATABASE SET: the role's whole set of settings in this database, and its comment. For roles that
    another provider makes (pulumi-postgresql knows neither); a `Role` has its settings itself, in every database.

    New sessions see them. A role that nobody logs in as never has any: SET ROLE does not read them."""

    KIND: ClassVar[str] = "RoleSettings"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Role", ("role",)),)

    role: Name = Field(description="Role that the settings are for.")
    settings: Annotated[Mapping[str, str], AfterValidator(sorted_settings)] = Field(
        default_factory=dict,
        description='Settings in this database, for example {"default_transaction_read_only": "on"}.',
    )
    comment: str | None = Field(default=None, description="COMMENT ON ROLE, which every database shows.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.settings and not self.comment:
            raise ValueError("settings or a comment is needed")
        return self

    def identity(self) -> tuple[str, ...]:
        return (self.role,)
