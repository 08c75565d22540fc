-- Extension-older version: create
CREATE EXTENSION "hstore" SCHEMA "one" VERSION "1.7";

-- alter: version
-- irreversible: extensions have no downgrade; sessions that loaded the old library keep it
ALTER EXTENSION "hstore" UPDATE TO "1.8";

-- alter: schema
ALTER EXTENSION "hstore" SET SCHEMA "Two";

-- alter: both
-- irreversible: extensions have no downgrade; sessions that loaded the old library keep it
ALTER EXTENSION "hstore" UPDATE TO "1.8";
ALTER EXTENSION "hstore" SET SCHEMA "Two";

-- drop
-- data loss: what the tables of extension hstore hold is lost
--   allow: drop:hstore
--   probe: SELECT EXISTS ( SELECT FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid WHERE e.extname = 'hstore' AND d.deptype = 'e' AND c.relkind IN ('r', 'p'))
DROP EXTENSION "hstore";
