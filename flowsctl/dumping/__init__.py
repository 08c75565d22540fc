"""A logical copy of a database: dumped with its roles and a ledger of what was in it, loaded and compared with that."""
