-- Role-plain: create
CREATE ROLE "life" WITH LOGIN CONNECTION LIMIT 5;
ALTER ROLE "life" PASSWORD '********';
ALTER ROLE "life" SET "app"."esco" TO E'a''b\\c';
ALTER ROLE "life" SET "search_path" TO '$user', 'flows', 'Sel"ect, é';
ALTER ROLE "life" SET "statement_timeout" TO '30s';
COMMENT ON ROLE "life" IS 'first';

-- alter: login
-- authorisation: what role "life" may do changes: NOLOGIN
ALTER ROLE "life" WITH NOLOGIN;

-- alter: superuser
-- authorisation: what role "life" may do changes: SUPERUSER
ALTER ROLE "life" WITH SUPERUSER;

-- alter: inherit
-- authorisation: what role "life" may do changes: NOINHERIT
ALTER ROLE "life" WITH NOINHERIT;

-- alter: create databases
-- authorisation: what role "life" may do changes: CREATEDB
ALTER ROLE "life" WITH CREATEDB;

-- alter: create roles
-- authorisation: what role "life" may do changes: CREATEDB, CREATEROLE
ALTER ROLE "life" WITH CREATEDB CREATEROLE;

-- alter: replication
-- authorisation: what role "life" may do changes: REPLICATION
ALTER ROLE "life" WITH REPLICATION;

-- alter: bypass
-- authorisation: what role "life" may do changes: BYPASSRLS
ALTER ROLE "life" WITH BYPASSRLS;

-- alter: connections
-- authorisation: what role "life" may do changes: CONNECTION LIMIT -1
ALTER ROLE "life" WITH CONNECTION LIMIT -1;

-- alter: until then
-- authorisation: what role "life" may do changes: VALID UNTIL '2031-01-02T02:00:00+00:00'
ALTER ROLE "life" WITH VALID UNTIL '2031-01-02T02:00:00+00:00';

-- alter: settings
ALTER ROLE "life" SET "timezone" TO 'Europe/London';
ALTER ROLE "life" SET "search_path" TO '';
ALTER ROLE "life" RESET "app"."esco";
ALTER ROLE "life" RESET "statement_timeout";

-- alter: no settings
ALTER ROLE "life" RESET "app"."esco";
ALTER ROLE "life" RESET "search_path";
ALTER ROLE "life" RESET "statement_timeout";

-- alter: comment
COMMENT ON ROLE "life" IS 'it''s second';

-- alter: no comment
COMMENT ON ROLE "life" IS NULL;

-- alter: password
-- authorisation: logins of "life" with the old password fail
ALTER ROLE "life" PASSWORD '********';

-- alter: password beyond ASCII
-- authorisation: logins of "life" with the old password fail
ALTER ROLE "life" PASSWORD '********';

-- drop
DROP ROLE "life";
