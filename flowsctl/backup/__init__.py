"""Backups as a product: the tool behind an interface, the restorable window, what is wrong with them."""
