"""A Pulumi provider for TimescaleDB objects. Imports nothing, so that the plugin starts fast."""

__version__ = "0.1.0"
