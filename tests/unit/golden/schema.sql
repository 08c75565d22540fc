-- Schema-plain: create
CREATE SCHEMA "life" AUTHORIZATION "one";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON SCHEMA "life" IS 'first';

-- alter: owner
-- lock: ACCESS EXCLUSIVE
ALTER SCHEMA "life" OWNER TO "two";

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON SCHEMA "life" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON SCHEMA "life" IS NULL;

-- drop
DROP SCHEMA "life";
