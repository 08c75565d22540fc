-- Index-plain: create
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "thing_name" ON "life"."thing" USING "btree" ("name");
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: name
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."thing_name" RENAME TO "Thing name";

-- alter: relation
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."other" USING "btree" ("name");
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: keys
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name", "at" DESC);
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: nulls
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name" NULLS FIRST);
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: descending
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("at" DESC NULLS LAST);
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: operator class
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name" text_pattern_ops);
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: collation
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name" COLLATE "C");
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: expression
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ((lower(name) -- why)
 || 'x;'));
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: method
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "hash" ("name");
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: unique
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name");
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: nulls collide
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE UNIQUE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name") NULLS NOT DISTINCT;
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: include
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name") INCLUDE ("id", "Order");
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: where
-- lock: SHARE UPDATE EXCLUSIVE
-- index build: it is built while reads and writes go on, and waits for every older transaction
CREATE INDEX CONCURRENTLY "pulumi_timescaledb_new_0ff099b8688b0281" ON "life"."thing" USING "btree" ("name") WHERE id > 0 AND name <> 'it''s';
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."pulumi_timescaledb_new_0ff099b8688b0281" RENAME TO "thing_name";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: parameters
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."thing_name" SET (deduplicate_items = 'off', fillfactor = '70');

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS NULL;

-- alter: invalid
-- refused: Index life.thing_name is declared invalid, which no index can be made. Leave "valid" out.

-- drop
-- lock: SHARE UPDATE EXCLUSIVE
DROP INDEX CONCURRENTLY "life"."thing_name";
