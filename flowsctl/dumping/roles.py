"""Roles and what else of a database is outside it: pg_dump leaves them out, and a dump without them does not load."""

from __future__ import annotations

from flowsctl.maintenance.objects import Connection

# The bootstrap superuser and PostgreSQL's own roles are on every server. Attributes of a role that is there already are
# left as they are: whoever made it there decides.
ROLES = """
SELECT format('DO $do$ BEGIN CREATE ROLE %I%s; EXCEPTION WHEN duplicate_object THEN NULL; END $do$', r.rolname,
    concat(
        CASE WHEN r.rolsuper THEN ' SUPERUSER' END, CASE WHEN r.rolcanlogin THEN ' LOGIN' END,
        CASE WHEN NOT r.rolinherit THEN ' NOINHERIT' END, CASE WHEN r.rolcreaterole THEN ' CREATEROLE' END,
        CASE WHEN r.rolcreatedb THEN ' CREATEDB' END, CASE WHEN r.rolreplication THEN ' REPLICATION' END,
        CASE WHEN r.rolbypassrls THEN ' BYPASSRLS' END,
        CASE WHEN r.rolconnlimit <> -1 THEN ' CONNECTION LIMIT ' || r.rolconnlimit END,
        CASE WHEN r.rolvaliduntil IS NOT NULL THEN format(' VALID UNTIL %L', r.rolvaliduntil) END{password}))
FROM {roles} r WHERE r.oid <> 10 AND r.rolname !~ '^pg_' ORDER BY r.rolname
"""
PASSWORD = ",\n        CASE WHEN r.rolpassword IS NOT NULL THEN format(' PASSWORD %L', r.rolpassword) END"
MEMBERSHIPS = """
SELECT format('GRANT %I TO %I WITH ADMIN %s, INHERIT %s, SET %s', g.rolname, m.rolname,
    a.admin_option::text, a.inherit_option::text, a.set_option::text)
FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles g ON g.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member
WHERE m.oid <> 10 AND m.rolname !~ '^pg_' ORDER BY 1
"""
# Settings of roles (everywhere, or in this database) and of the database itself. {database} is put in at load.
SETTINGS = """
SELECT format('ALTER %s SET %I TO %s', CASE
        WHEN s.setrole = 0 THEN 'DATABASE {database}'
        WHEN s.setdatabase = 0 THEN format('ROLE %I', r.rolname)
        ELSE format('ROLE %I IN DATABASE {database}', r.rolname) END,
    split_part(c, '=', 1),
    CASE WHEN split_part(c, '=', 1) IN ('search_path', 'temp_tablespaces', 'session_preload_libraries')
        THEN substr(c, strpos(c, '=') + 1) ELSE quote_literal(substr(c, strpos(c, '=') + 1)) END)
FROM pg_catalog.pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND s.setrole <> 10
    AND c !~ '^timescaledb[.]restoring='
ORDER BY 1
"""
RIGHTS = """
SELECT format('GRANT %s ON DATABASE {database} TO %s%s', x.privilege_type,
    CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE format('%I', g.rolname) END,
    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_database d CROSS JOIN aclexplode(d.datacl) x LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee
WHERE d.datname = current_database() AND d.datacl IS NOT NULL ORDER BY 1
"""
REVOKED = """
SELECT 'REVOKE ALL ON DATABASE {database} FROM PUBLIC' FROM pg_catalog.pg_database
WHERE datname = current_database() AND datacl IS NOT NULL
"""


def before_load(connection: Connection, *, passwords: bool) -> list[str]:
    """Statements that make the roles, to run before a dump is loaded. Passwords (as SCRAM verifiers, which only a
    superuser can read) only where asked: those of a stack follow from its root secret."""
    roles = ROLES.replace("{password}", PASSWORD if passwords else "")
    roles = roles.replace("{roles}", "pg_catalog.pg_authid" if passwords else "pg_catalog.pg_roles")
    return [str(row[0]) for query in (roles, MEMBERSHIPS) for row in connection.execute(query.encode()).fetchall()]


def after_load(connection: Connection) -> list[str]:
    """Statements about the database itself: settings, rights. {database} stands for its quoted name."""
    queries = (SETTINGS, REVOKED, RIGHTS)
    return [str(row[0]) for query in queries for row in connection.execute(query.encode()).fetchall()]
