-- Schema-plain: create
CREATE SCHEMA "life" AUTHORIZATION "one";
COMMENT ON SCHEMA "life" IS 'first';

-- alter: owner
ALTER SCHEMA "life" OWNER TO "two";

-- alter: comment
COMMENT ON SCHEMA "life" IS 'it''s second';

-- alter: no comment
COMMENT ON SCHEMA "life" IS NULL;

-- drop
DROP SCHEMA "life";
