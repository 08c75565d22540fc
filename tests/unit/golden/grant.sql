-- Grant-everything: create
-- authorisation: "reader" gets rights in schema "life"
GRANT EXECUTE ON ROUTINE "life"."f"(integer, life.mood), "life"."p"(integer) TO "reader";
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  GRANT EXECUTE ON FUNCTIONS TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT INSERT, SELECT ON TABLE "life"."a", "life"."b" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT SELECT ON TABLE "life"."v" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT USAGE ON SCHEMA "life" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT USAGE ON SEQUENCE "life"."s" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  GRANT USAGE ON SEQUENCES TO "reader";
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  GRANT SELECT ON TABLES TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT USAGE ON TYPE "life"."mood" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT UPDATE ("x", "y") ON TABLE "life"."a" TO "reader";

-- alter: schema
-- authorisation: "reader" gets rights in schema "life"
GRANT CREATE ON SCHEMA "life" TO "reader";

-- alter: no schema
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON SCHEMA "life" FROM "reader";

-- alter: passed on
-- authorisation: "reader" loses rights in schema "life"
REVOKE EXECUTE ON ROUTINE "life"."p"(integer) FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE EXECUTE ON FUNCTIONS FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE INSERT, SELECT ON TABLE "life"."b" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE SELECT ON TABLE "life"."v" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON SEQUENCE "life"."s" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE USAGE ON SEQUENCES FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON TYPE "life"."mood" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE UPDATE ("y") ON TABLE "life"."a" FROM "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT CREATE ON SCHEMA "life" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT SELECT ON TABLE "life"."a" TO "reader" WITH GRANT OPTION;
-- authorisation: "reader" gets rights in schema "life"
GRANT USAGE ON SCHEMA "life" TO "reader" WITH GRANT OPTION;
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  GRANT SELECT ON TABLES TO "reader" WITH GRANT OPTION;
-- authorisation: "reader" gets rights in schema "life"
GRANT UPDATE ("x") ON TABLE "life"."a" TO "reader" WITH GRANT OPTION;

-- alter: objects
-- authorisation: "reader" loses rights in schema "life"
REVOKE EXECUTE ON ROUTINE "life"."f"(integer, life.mood), "life"."p"(integer) FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE INSERT, SELECT ON TABLE "life"."b" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON SEQUENCE "life"."s" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON TYPE "life"."mood" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE UPDATE ("x", "y") ON TABLE "life"."a" FROM "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT DELETE ON TABLE "life"."v" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT USAGE ON TYPE "life"."positive" TO "reader";

-- alter: columns
-- authorisation: "reader" loses rights in schema "life"
REVOKE EXECUTE ON ROUTINE "life"."f"(integer, life.mood), "life"."p"(integer) FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE INSERT, SELECT ON TABLE "life"."a", "life"."b" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE SELECT ON TABLE "life"."v" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON SEQUENCE "life"."s" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON TYPE "life"."mood" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE UPDATE ("y") ON TABLE "life"."a" FROM "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT SELECT ("x", "z"), UPDATE ("z") ON TABLE "life"."a" TO "reader";
-- authorisation: "reader" gets rights in schema "life"
GRANT INSERT ("y") ON TABLE "life"."b" TO "reader";

-- alter: no objects
-- authorisation: "reader" loses rights in schema "life"
REVOKE EXECUTE ON ROUTINE "life"."f"(integer, life.mood), "life"."p"(integer) FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE INSERT, SELECT ON TABLE "life"."a", "life"."b" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE SELECT ON TABLE "life"."v" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON SEQUENCE "life"."s" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE USAGE ON TYPE "life"."mood" FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
REVOKE UPDATE ("x", "y") ON TABLE "life"."a" FROM "reader";

-- alter: defaults
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE EXECUTE ON FUNCTIONS FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE USAGE ON SEQUENCES FROM "reader";
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  GRANT INSERT ON TABLES TO "reader";
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  GRANT USAGE ON TYPES TO "reader";

-- alter: other creator
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE EXECUTE ON FUNCTIONS FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE USAGE ON SEQUENCES FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE SELECT ON TABLES FROM "reader";
-- authorisation: "reader" gets rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "life"
  GRANT SELECT ON TABLES TO "reader";

-- alter: no defaults
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE EXECUTE ON FUNCTIONS FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE USAGE ON SEQUENCES FROM "reader";
-- authorisation: "reader" loses rights in schema "life"
ALTER DEFAULT PRIVILEGES FOR ROLE "maker" IN SCHEMA "life"
  REVOKE SELECT ON TABLES FROM "reader";

-- drop
-- authorisation: "reader" loses every right in schema "life" that is not given again
DO $body$DECLARE revoke text;
BEGIN
  FOR revoke IN SELECT r.revoke FROM (
SELECT o.schema, CASE x.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(x.grantee) END AS role,
       o.type, o.name, o."column", o.revoke,
       pg_catalog.array_agg(DISTINCT pg_catalog.lower(x.privilege_type) || CASE WHEN x.is_grantable THEN '*' ELSE '' END) AS privileges
FROM (
  WITH n AS (SELECT * FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^(pg_|_timescaledb_)' AND n.nspname NOT IN
  ('information_schema', 'timescaledb_information', 'timescaledb_experimental', 'pulumi_timescaledb')
 AND n.nspname = 'life')
  SELECT n.nspname AS schema, 'schema' AS type, ''::text AS name, NULL AS "column", n.nspowner AS owner, n.nspacl AS acl,
         pg_catalog.format('REVOKE ALL ON SCHEMA %I', n.nspname) AS revoke
  FROM n
  UNION ALL
  SELECT n.nspname, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.relname, NULL, c.relowner, c.relacl,
         pg_catalog.format('REVOKE ALL ON %s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND x.objid = c.oid AND x.deptype = 'e')
  UNION ALL
  SELECT n.nspname, 'relation', c.relname, a.attname, c.relowner, a.attacl,
         pg_catalog.format('REVOKE ALL (%I) ON TABLE %I.%I', a.attname, n.nspname, c.relname)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN n ON n.oid = c.relnamespace
  WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND x.objid = c.oid AND x.deptype = 'e')
  UNION ALL
  SELECT n.nspname, 'function', p.proname::text || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')', NULL, p.proowner,
         COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)),
         pg_catalog.format('REVOKE ALL ON ROUTINE %I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes))
  FROM pg_catalog.pg_proc p JOIN n ON n.oid = p.pronamespace WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND x.objid = p.oid AND x.deptype = 'e')
  UNION ALL
  SELECT n.nspname, 'type', t.typname, NULL, t.typowner, COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner)),
         pg_catalog.format('REVOKE ALL ON TYPE %I.%I', n.nspname, t.typname)
  FROM pg_catalog.pg_type t JOIN n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
  WHERE (t.typtype IN ('b', 'd', 'e', 'r') OR c.relkind = 'c') AND t.typcategory <> 'A'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
            AND x.objid = t.oid AND x.deptype = 'e')
  UNION ALL
  SELECT n.nspname, k.type, pg_catalog.pg_get_userbyid(d.defaclrole), NULL, d.defaclrole, d.defaclacl,
         pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE ALL ON %s',
           pg_catalog.pg_get_userbyid(d.defaclrole), n.nspname, k.type)
  FROM pg_catalog.pg_default_acl d JOIN n ON n.oid = d.defaclnamespace
  JOIN (VALUES ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types')) k(letter, type)
    ON k.letter = d.defaclobjtype::text
) o CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) x
WHERE x.grantor = o.owner AND x.grantee <> o.owner
 AND x.grantee = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = 'reader')
GROUP BY o.schema, x.grantee, o.type, o.name, o."column", o.revoke
  ) r LOOP
    EXECUTE revoke || ' FROM "reader" CASCADE';
  END LOOP;
END
$body$;
