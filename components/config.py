"""Reading the stack's config: unknown keys and wrong values are errors that name the key."""

from __future__ import annotations

import difflib

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import ValidationError

from flows.settings import Settings

PROGRAM_KEYS = ("engine", "disposable", "apiPort", "allow", "rootSecret")
"""Keys of the program itself; every other key is a setting of the Flows model."""


def root_secret() -> str:
    """The stack's root secret, in clear: everything derived from it must be known at preview.

    Raises:
        pulumi.RunError: it is not set.
    """
    found = runtime_config.get_config("flows:rootSecret")
    if not found:
        raise pulumi.RunError(
            "flows:rootSecret is not set. `flowsctl up` makes one; with plain pulumi: "
            "`pulumi config set --secret flows:rootSecret $(openssl rand -hex 32)`."
        )
    return str(found)


def settings() -> Settings:
    """The Flows settings of this stack.

    Raises:
        pulumi.RunError: a key is unknown or a value is wrong.
    """
    known = Settings.config_keys()
    # Inline programs get their config in a context variable, others in the environment.
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    given = {key.removeprefix("flows:"): value for key, value in everything.items() if key.startswith("flows:")}
    for key in given:
        if key not in known and key not in PROGRAM_KEYS:
            close = difflib.get_close_matches(key, [*known, *PROGRAM_KEYS], 1)
            hint = f" Did you mean flows:{close[0]}?" if close else " Pulumi.yaml lists the keys."
            raise pulumi.RunError(f"flows:{key} is not a setting.{hint}")
    try:
        return Settings.from_config(given)
    except ValidationError as error:
        faults = []
        for each in error.errors(include_url=False):
            where = f"flows:{each['loc'][0]}: " if each["loc"] else ""
            faults.append(where + each["msg"].removeprefix("Value error, "))
        raise pulumi.RunError("; ".join(faults)) from None
