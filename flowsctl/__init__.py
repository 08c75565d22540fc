"""The command line for people: stands the Flows database up, looks at it, takes it down.

This package imports nothing on its own, so that `flowsctl --help` stays fast.
"""
