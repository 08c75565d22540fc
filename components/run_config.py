"""The config of the running Pulumi program."""

from __future__ import annotations

import pulumi
from pulumi.runtime import config as runtime_config

from .config import DOCKER, ConfigError, StackConfig


def stack_config() -> StackConfig:
    """The stack's config.

    Raises:
        pulumi.RunError: a key is unknown or a value is wrong.
    """
    # Inline programs get their config in a context variable, others in the environment.
    try:
        found = StackConfig.read({**runtime_config.get_config_env(), **runtime_config.CONFIG.get()})
    except ConfigError as error:
        raise pulumi.RunError(str(error)) from None
    if found.engine == DOCKER and not found.server.database_port:
        raise pulumi.RunError(
            "flows:databasePort is 0: the port must be known before the run. flowsctl chooses one where the "
            "stack's file has engine docker; with plain pulumi: `pulumi config set flows:databasePort 25432`."
        )
    return found


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
