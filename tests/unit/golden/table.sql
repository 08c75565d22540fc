-- Table-plain: create
CREATE TABLE "life"."thing" (
  "id" uuid DEFAULT (gen_random_uuid()) NOT NULL,
  "name" text DEFAULT ('it''s'),
  "count" integer NOT NULL,
  "mood" life.mood[] DEFAULT ('{ok}'::life.mood[]),
  "limit" life."Counter",
  "code" character varying(10) COLLATE "C",
  CONSTRAINT "thing_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "thing_name_key" UNIQUE ("name", "count"),
  CONSTRAINT "positive" CHECK (count > 0 -- it's; so)
 AND count < 1000)
);
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" OWNER TO "one";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON TABLE "life"."thing" IS 'first';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."thing"."id" IS 'key';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."thing"."limit" IS 'domain';

-- alter: name
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" RENAME TO "Order";

-- alter: name and column
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" RENAME TO "Order";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."Order" DROP CONSTRAINT "positive";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."Order" RENAME COLUMN "count" TO "Größe";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."Order" ADD CONSTRAINT "positive" CHECK ("Größe" > 0) NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."Order" VALIDATE CONSTRAINT "positive";

-- alter: column more
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD COLUMN "new one" jsonb DEFAULT ('{}');
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."thing"."new one" IS 'x';

-- alter: identity more
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
ALTER TABLE "life"."thing" ADD COLUMN "number" integer GENERATED ALWAYS AS IDENTITY NOT NULL;

-- alter: generated more
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
ALTER TABLE "life"."thing" ADD COLUMN "double" integer GENERATED ALWAYS AS (count * 2) STORED;

-- alter: columns gone
-- lock: ACCESS EXCLUSIVE
-- data loss: the values of column "mood" of life.thing are lost
--   allow: drop_column:mood
--   probe: SELECT EXISTS (SELECT FROM "life"."thing" WHERE "mood" IS NOT NULL)
ALTER TABLE "life"."thing" DROP COLUMN "mood";
-- lock: ACCESS EXCLUSIVE
-- data loss: the values of column "limit" of life.thing are lost
--   allow: drop_column:limit
--   probe: SELECT EXISTS (SELECT FROM "life"."thing" WHERE "limit" IS NOT NULL)
ALTER TABLE "life"."thing" DROP COLUMN "limit";

-- alter: column in a key gone
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_name_key";
-- lock: ACCESS EXCLUSIVE
-- data loss: the values of column "name" of life.thing are lost
--   allow: drop_column:name
--   probe: SELECT EXISTS (SELECT FROM "life"."thing" WHERE "name" IS NOT NULL)
ALTER TABLE "life"."thing" DROP COLUMN "name";

-- alter: wider
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
ALTER TABLE "life"."thing" ALTER COLUMN "count" TYPE bigint USING "count"::bigint;
-- lock: ACCESS EXCLUSIVE
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
ALTER TABLE "life"."thing" ALTER COLUMN "code" TYPE character varying(20) COLLATE "C" USING "code"::character varying(20);

-- alter: narrower
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "name" DROP DEFAULT;
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
-- data loss: values of column "name" of life.thing do not fit into character(5) unchanged
--   allow: retype_column:name
--   probe: SELECT EXISTS (SELECT FROM "life"."thing" WHERE ("name"::character(5))::text IS DISTINCT FROM "name"::text)
ALTER TABLE "life"."thing" ALTER COLUMN "name" TYPE character(5) USING "name"::character(5);
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "name" SET DEFAULT 'it''s';
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
-- data loss: values of column "code" of life.thing do not fit into character varying(3) unchanged
--   allow: retype_column:code
--   probe: SELECT EXISTS (SELECT FROM "life"."thing" WHERE ("code"::character varying(3))::text IS DISTINCT FROM "code"::text)
ALTER TABLE "life"."thing" ALTER COLUMN "code" TYPE character varying(3) COLLATE "C" USING "code"::character varying(3);

-- alter: retyped with its default
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "name" DROP DEFAULT;
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
-- data loss: values of column "name" of life.thing do not fit into life.mood unchanged
--   allow: retype_column:name
--   probe: SELECT EXISTS (SELECT FROM "life"."thing" WHERE ("name"::life.mood)::text IS DISTINCT FROM "name"::text)
ALTER TABLE "life"."thing" ALTER COLUMN "name" TYPE life.mood USING "name"::life.mood;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "name" SET DEFAULT 'ok';

-- alter: retyped with the same default
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "mood" DROP DEFAULT;
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
ALTER TABLE "life"."thing" ALTER COLUMN "mood" TYPE text[] USING "mood"::text[];
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "mood" SET DEFAULT '{ok}';

-- alter: collation
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait
-- statistics gone: the planner knows nothing of the column's values until the next ANALYZE
ALTER TABLE "life"."thing" ALTER COLUMN "code" TYPE character varying(10) USING "code"::character varying(10);

-- alter: nullable
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "count" DROP NOT NULL;

-- alter: not null
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "pulumi_timescaledb_not_null_82a3537ff0dbce7e" CHECK ("name" IS NOT NULL) NOT VALID;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "pulumi_timescaledb_not_null_5694d08a2e53ffca" CHECK ("code" IS NOT NULL) NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."thing" VALIDATE CONSTRAINT "pulumi_timescaledb_not_null_82a3537ff0dbce7e";
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."thing" VALIDATE CONSTRAINT "pulumi_timescaledb_not_null_5694d08a2e53ffca";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "name" SET NOT NULL;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "pulumi_timescaledb_not_null_82a3537ff0dbce7e";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "code" SET NOT NULL;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "pulumi_timescaledb_not_null_5694d08a2e53ffca";

-- alter: defaults
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "id" DROP DEFAULT;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "count" SET DEFAULT 1 + 1;

-- alter: column comments
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."thing"."name" IS 'it''s';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."thing"."id" IS NULL;

-- alter: no primary key
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_pkey";

-- alter: another primary key
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "pulumi_timescaledb_not_null_5694d08a2e53ffca" CHECK ("code" IS NOT NULL) NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."thing" VALIDATE CONSTRAINT "pulumi_timescaledb_not_null_5694d08a2e53ffca";
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_key_6b1960960fa8f4f9" ON "life"."thing" ("count", "code");
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ALTER COLUMN "code" SET NOT NULL;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "pulumi_timescaledb_not_null_5694d08a2e53ffca";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_pkey";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "Key" PRIMARY KEY USING INDEX "pulumi_timescaledb_new_key_6b1960960fa8f4f9";

-- alter: no unique
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_name_key";

-- alter: unique deferrable
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_key_938b76b73929fa66" ON "life"."thing" ("name", "count");
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_name_key";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "thing_name_key" UNIQUE USING INDEX "pulumi_timescaledb_new_key_938b76b73929fa66" DEFERRABLE INITIALLY DEFERRED;

-- alter: unique renamed
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" RENAME CONSTRAINT "thing_name_key" TO "thing_name_key2";

-- alter: unique collides
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_key_938b76b73929fa66" ON "life"."thing" ("name", "count") NULLS NOT DISTINCT;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_name_key";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "thing_name_key" UNIQUE USING INDEX "pulumi_timescaledb_new_key_938b76b73929fa66";

-- alter: nulls collide
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_key_569cafb37d403313" ON "life"."thing" ("code") NULLS NOT DISTINCT;
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "u" UNIQUE USING INDEX "pulumi_timescaledb_new_key_569cafb37d403313";

-- alter: checks
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "Sm""all" CHECK (char_length(name) < 5) NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."thing" VALIDATE CONSTRAINT "Sm""all";

-- alter: check not validated
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "positive";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "positive" CHECK (count > 0 -- it's; so)
 AND count < 1000) NOT VALID;

-- alter: primary key deferrable
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_key_21588b2df7009e2f" ON "life"."thing" ("id");
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "thing_pkey";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "thing_pkey" PRIMARY KEY USING INDEX "pulumi_timescaledb_new_key_21588b2df7009e2f" DEFERRABLE INITIALLY DEFERRED;

-- alter: check rewritten
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" DROP CONSTRAINT "positive";
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" ADD CONSTRAINT "positive" CHECK (count > 5) NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."thing" VALIDATE CONSTRAINT "positive";

-- alter: row security
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees changes
ALTER TABLE "life"."thing" ENABLE ROW LEVEL SECURITY;

-- alter: forced row security
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees changes
ALTER TABLE "life"."thing" ENABLE ROW LEVEL SECURITY;
-- lock: ACCESS EXCLUSIVE
-- authorisation: the owner's own view of the rows changes
ALTER TABLE "life"."thing" FORCE ROW LEVEL SECURITY;

-- alter: unlogged
-- lock: ACCESS EXCLUSIVE
-- table rewrite: the table is rewritten; reads and writes wait; from then on a crash of the server empties it, and no standby or backup has its rows
ALTER TABLE "life"."thing" SET UNLOGGED;

-- alter: parameters
-- lock: SHARE UPDATE EXCLUSIVE
ALTER TABLE "life"."thing" SET (fillfactor = '70', toast.autovacuum_enabled = 'false');

-- alter: parameter that nobody may use meanwhile
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" SET (user_catalog_table = 'false');

-- alter: owner
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."thing" OWNER TO "two";

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON TABLE "life"."thing" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON TABLE "life"."thing" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
-- data loss: all rows of life.thing are lost
--   allow: drop:life.thing
--   probe: SELECT EXISTS (SELECT FROM "life"."thing")
DROP TABLE "life"."thing";
