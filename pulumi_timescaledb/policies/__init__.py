"""Policies: what declarations should be like, each at a level that a program chooses.

One module, one policy: `hypertable_without_retention` is "hypertable-without-retention", and holds `POLICY`. What no
server could carry out, or what would lose data whatever anybody chooses, is no policy but a rule (`rules/`).
"""
