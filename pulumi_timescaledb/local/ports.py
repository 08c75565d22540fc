"""Choosing TCP ports for local processes."""

import socket


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now (another process may still take it first)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
