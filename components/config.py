"""A stack's config values as the program takes them: unknown keys and wrong values are errors that name the key.

No Pulumi here: `flowsctl plan` reads the same values from the stack's files.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from flows.config_model import ConfigModel
from flows.policies import POLICIES, policies
from flows.settings import Settings
from pulumi_timescaledb.policing import Policies, PolicyError

from .backup_config import BackupSettings
from .server_config import ServerSettings

NAMESPACE = "flows:"
PROGRAM_KEYS = ("engine", "disposable", "apiPort", "allow", "policies", "rootSecret")
"""Keys of the program itself; every other key is a setting of the Flows model, of its backups or of its server."""
EMBEDDED, DOCKER, EXTERNAL = "embedded", "docker", "external"
ENGINES = (EMBEDDED, DOCKER, EXTERNAL)

Checked = TypeVar("Checked", bound=ConfigModel)


class ConfigError(ValueError):
    """A config value that cannot be used; the text names the key."""


@dataclass(frozen=True)
class StackConfig:
    """The config of one stack, without its root secret."""

    settings: Settings
    backup: BackupSettings
    server: ServerSettings
    engine: str
    disposable: bool
    allow: tuple[str, ...]
    """Losses of data that are permitted, each named as the refusal names it."""
    api_port: int
    """0: none was chosen yet."""
    policies: Policies = POLICIES
    """Those of the Flows model, at the levels that the config chooses."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> StackConfig:
        """From values by full key: as text, as Pulumi hands them to a program, or typed, as a stack file has them.

        Raises:
            ConfigError: a key is unknown or a value is wrong.
        """
        given = {key.removeprefix(NAMESPACE): value for key, value in values.items() if key.startswith(NAMESPACE)}
        _refuse_unknown(given)
        engine = str(given.get("engine") or ENGINES[0])
        if engine not in ENGINES:
            raise ConfigError(f'flows:engine "{engine}" is none of {", ".join(ENGINES)}.')
        server = _checked(ServerSettings, given)
        if engine == EXTERNAL and not server.host:
            raise ConfigError("flows:engine external needs flows:host, and flows:adminPassword as a secret.")
        if engine == EXTERNAL and server.api_enabled and server.is_local:
            raise ConfigError(
                f"flows:host {server.host} would be the API's own container, for the API. Take an address of this "
                "machine that containers reach too, such as the Docker bridge's, or set flows:apiEnabled to false."
            )
        settings = _checked(Settings, given)
        return cls(
            settings=settings,
            backup=_checked(BackupSettings, given),
            server=server,
            engine=engine,
            disposable=bool(_plain("disposable", given.get("disposable"), bool, False)),
            allow=tuple(str(token) for token in _plain("allow", given.get("allow"), list, [])),
            api_port=int(_plain("apiPort", given.get("apiPort"), int, 0)),
            policies=_policies(given.get("policies"), settings),
        )

    def warnings(self) -> list[str]:
        """What is permitted and unwise."""
        loose = self.server.unpinned() if self.engine == DOCKER and not self.disposable else []
        return [
            f"image {image} has no digest: what it stands for may change. Pin it: docker inspect shows RepoDigests, "
            "or, for one that was built here, its Id."
            for image in loose
        ]


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    models = (Settings, BackupSettings, ServerSettings)
    known = [*(key for model in models for key in model.config_keys()), *PROGRAM_KEYS]
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean flows:{close[0]}?" if close else " Pulumi.yaml lists the keys."
            raise ConfigError(f"flows:{key} is not a setting.{hint}")


def _checked(kind: type[Checked], given: Mapping[str, Any]) -> Checked:
    try:
        return kind.from_config(given)
    except ValidationError as error:
        faults = []
        for each in error.errors(include_url=False):
            where = f"flows:{each['loc'][0]}: " if each["loc"] else ""
            faults.append(where + each["msg"].removeprefix("Value error, "))
        raise ConfigError("; ".join(faults)) from None


def _policies(value: Any, settings: Settings) -> Policies:
    try:
        return policies(settings).at(_plain("policies", value, dict, {}))
    except PolicyError as error:
        raise ConfigError(f"flows:policies: {error}.") from None


def _plain(key: str, value: Any, kind: type, absent: Any) -> Any:
    """A value that may come as JSON text."""
    if isinstance(value, str) and value:
        with contextlib.suppress(ValueError):  # told below, with what is wanted
            value = json.loads(value)
    if value in (None, ""):
        return absent
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        wanted = {
            bool: "true or false",
            int: "a whole number",
            list: "a list of texts",
            dict: 'an object of levels, such as {"grant-to-public": "off"}',
        }[kind]
        raise ConfigError(f"flows:{key} must be {wanted}.")
    return value
