"""The database as declared, as a site for people: `flowsctl docs`."""
