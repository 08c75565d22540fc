"""Settings that a stack's config fills: the fields of a model are the keys, with type, default and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic.alias_generators import to_camel


class ConfigModel(BaseModel):
    """A field `retention_days` is the config key `retentionDays`, or what the model's alias generator makes of it.
    Frozen; unknown names are errors, which never quote a value."""

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        extra="forbid",
        validate_default=True,
        validate_by_name=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )

    @classmethod
    def from_config(cls, values: Mapping[str, Any]) -> Self:
        """Settings from config values by key without the project prefix; None and other keys are left out, as are
        secrets that are still encrypted (a stack file read without Pulumi).

        Raises:
            pydantic.ValidationError: a value is wrong, or two do not go together.
        """
        known = set(cls.config_keys())
        given = {key: value for key, value in values.items() if key in known and value is not None}
        return cls.model_validate({key: value for key, value in given.items() if not isinstance(value, Mapping)})

    @classmethod
    def config_keys(cls) -> list[str]:
        """Every config key, without the project prefix."""
        return [cls._key(name) for name in cls.model_fields]

    @classmethod
    def config_schema(cls) -> dict[str, dict[str, Any]]:
        """Entries for `config:` in Pulumi.yaml, by key without the project prefix."""
        return {cls._key(name): _entry(field) for name, field in cls.model_fields.items()}

    @classmethod
    def _key(cls, name: str) -> str:
        make: Any = cls.model_config["alias_generator"]
        return str(make(name))


def _entry(field: Any) -> dict[str, Any]:
    kind = {bool: "boolean", int: "integer"}.get(field.annotation, "string")
    default = str(field.default) if kind == "string" else field.default
    if field.annotation is SecretStr:
        # Not `secret: true`: the engine wants a value for such a key, and takes no default for it (Pulumi 3.259).
        default = ""
    return {"type": kind, "default": default, "description": field.description}
