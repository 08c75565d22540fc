-- Index-plain: create
-- lock: SHARE
-- index build: writes wait until it is built
CREATE INDEX "thing_name" ON "life"."thing" USING "btree" ("name");
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'first';

-- alter: name
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."thing_name" RENAME TO "Thing name";

-- alter: relation
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: keys
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: nulls
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: descending
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: operator class
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: collation
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: expression
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: method
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: unique
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: nulls collide
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: include
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: where
-- rebuilt: the keys, the method and the condition of an index cannot be altered

-- alter: parameters
-- lock: SHARE UPDATE EXCLUSIVE
ALTER INDEX "life"."thing_name" SET (deduplicate_items = 'off', fillfactor = '70');

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON INDEX "life"."thing_name" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
DROP INDEX "life"."thing_name";
