"""The Flows database platform: reads config, picks the engine, composes components."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components import access, outputs, place, run_config
from components.containers.names import Names
from components.declared import declared
from components.engine import choice
from components.schema import provision
from components.secrets import StackSecrets
from flows import server_roles, warnings
from pulumi_timescaledb.resources import Provider, Seal

ROOT = Path(__file__).resolve().parent
config = run_config.stack_config()
project, stack = pulumi.get_project(), pulumi.get_stack()
secrets = StackSecrets(run_config.root_secret())
for sentence in [*warnings(config.settings), *config.warnings()]:
    pulumi.log.warn(sentence)

connection = place.connection(config, ROOT, stack, secrets)
server = choice.make(config, Names(project, stack), connection, secrets)
login = access.with_passwords(server_roles(config.settings), secrets)
access_made = choice.roles_and_database(config, server, login)

whole = declared(config, secrets)
provider = Provider("database", server.settings)
made = provision(
    whole, provider, [*server.resources, *access_made], config.allow, policies=config.policies, server=server.made_of
)

# The Seal comes last, and is asked first at a destroy: what runs beside the database must not go before it said yes.
beside = [each for each in (server.beside.api(made.ends), server.beside.scheduler(made.ends)) if each is not None]
Seal(
    "seal",
    whole,
    server.api_folder,
    server.api_channel,
    opts=pulumi.ResourceOptions(parent=made.component, provider=provider, depends_on=[*made.ends, *beside]),
)

for name, value in outputs.of(config, server, login, secrets).items():
    pulumi.export(name, value)
