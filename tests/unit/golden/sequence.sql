-- Sequence-defaults: create
CREATE SEQUENCE "life"."numbers" AS bigint INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1 NO CYCLE;
-- lock: ACCESS EXCLUSIVE
ALTER SEQUENCE "life"."numbers" OWNER TO "one";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON SEQUENCE "life"."numbers" IS 'first';

-- alter: type
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" AS smallint MAXVALUE 32767;

-- alter: start
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" START WITH 100;

-- alter: increment
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" INCREMENT BY 10;

-- alter: minimum
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" MINVALUE -5 START WITH -5;

-- alter: maximum
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" MAXVALUE 1000;

-- alter: cache
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" CACHE 20;

-- alter: cycle
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" CYCLE;

-- alter: all at once
-- lock: SHARE ROW EXCLUSIVE
ALTER SEQUENCE "life"."numbers" AS integer MAXVALUE 9 START WITH 3 CACHE 2 CYCLE;

-- alter: owner
-- lock: ACCESS EXCLUSIVE
ALTER SEQUENCE "life"."numbers" OWNER TO "two";

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON SEQUENCE "life"."numbers" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON SEQUENCE "life"."numbers" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
-- data loss: the position of life.numbers is lost: a new sequence gives its numbers out again
--   allow: drop:life.numbers
--   probe: SELECT is_called FROM "life"."numbers"
DROP SEQUENCE "life"."numbers";
