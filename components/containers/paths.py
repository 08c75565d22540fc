"""Where things are inside the containers of a stack. The scripts of this package know the same places."""

from __future__ import annotations

BINARIES = "/usr/lib/postgresql/17/bin"
"""PostgreSQL's programs: the layout of Debian and PGDG packages."""
DATA = "/var/lib/flows/data"
"""Volume `data`: the cluster and pgBackRest's spool."""
PGDATA = f"{DATA}/pg"
BACKUP = "/var/lib/flows/backup"
"""Volume `backup`: the repository."""
SOCKETS = "/var/lib/flows/run"
"""Volume `run`: the server's socket, shared with the scheduler."""
CONFIGURATION = "/etc/flows"
"""Files put in before the start, all owned by root."""
PRIVATE = "/run/flows"
"""0700, user postgres: the entry script puts copies of the 0600 files of CONFIGURATION here at each start."""
