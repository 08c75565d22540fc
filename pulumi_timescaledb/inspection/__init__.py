"""Reading a live database into a package of declarations, and what adopts it. Knows nothing of any one database.

`look` reads, `census` says what was there and what became of it, `select` keeps what can be declared, `package` writes.
"""
