"""A setting that takes effect without a restart."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ..settings import normal_setting_name
from .base import Spec


class ServerSetting(Spec):
    """ALTER SYSTEM SET + reload, or ALTER DATABASE SET. Settings that need a restart belong to the server's own
    configuration and are refused."""

    KIND: ClassVar[str] = "ServerSetting"

    name: Annotated[str, AfterValidator(normal_setting_name)] = Field(description="Setting, for example work_mem.")
    value: str = Field(description="Value as text.")
    scope: Literal["system", "database"] = Field(default="database", description="Whole server or this database.")

    def identity(self) -> tuple[str, ...]:
        return (self.scope, self.name)
