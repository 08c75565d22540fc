-- MaterializedView-plain: create
-- lock: ACCESS SHARE
CREATE MATERIALIZED VIEW "life"."summary" AS
SELECT id, name -- it's; a comment
FROM life.thing
WITH NO DATA;
-- lock: ACCESS EXCLUSIVE
ALTER MATERIALIZED VIEW "life"."summary" OWNER TO "one";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON MATERIALIZED VIEW "life"."summary" IS 'first';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."summary"."id" IS 'key';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."summary"."name" IS 'it''s';

-- alter: query
-- rebuilt: the query of a materialized view cannot be altered

-- alter: parameters
-- lock: SHARE UPDATE EXCLUSIVE
ALTER MATERIALIZED VIEW "life"."summary" SET (fillfactor = '70', toast.autovacuum_enabled = 'false');

-- alter: owner
-- lock: ACCESS EXCLUSIVE
ALTER MATERIALIZED VIEW "life"."summary" OWNER TO "two";

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON MATERIALIZED VIEW "life"."summary" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON MATERIALIZED VIEW "life"."summary" IS NULL;

-- alter: column comments
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."summary"."name" IS 'the name';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."summary"."id" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
DROP MATERIALIZED VIEW "life"."summary";
