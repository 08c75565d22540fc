"""The plain schema on a server that runs already: `__main__.py` of this repository without server and API."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components import place, run_config
from components.declared import declared
from components.schema import provision
from components.secrets import StackSecrets
from pulumi_timescaledb.resources import Provider, Seal

config = run_config.stack_config()
secrets = StackSecrets(run_config.root_secret())
settings = place.connection(config, Path(__file__).resolve().parent, pulumi.get_stack(), secrets)
whole = declared(config, secrets)
provider = Provider("database", settings)
made = provision(whole, provider, allow=config.allow, policies=config.policies)
Seal("seal", whole, opts=pulumi.ResourceOptions(parent=made.component, provider=provider, depends_on=made.ends))

place_of = {"host": settings.host, "port": settings.port, "name": settings.database, "user": settings.user, "dsn": ""}
pulumi.export("rootSecret", pulumi.Output.secret(run_config.root_secret()))
pulumi.export("engine", config.engine)
pulumi.export("database", place_of)
pulumi.export("api", None)
pulumi.export("roles", [])
pulumi.export("jwtSecret", pulumi.Output.secret(""))
pulumi.export("passwords", pulumi.Output.secret({}))
