"""Embedded engine: TimescaleDB and PostgREST as processes of this machine, without containers."""
