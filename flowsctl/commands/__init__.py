"""One file per command; see `flowsctl.registry`."""
