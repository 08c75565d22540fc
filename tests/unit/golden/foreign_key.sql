-- ForeignKey-plain: create
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "life"."parent" ("id") NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: column
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("x")
  REFERENCES "life"."parent" ("id") NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: target
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "life"."other" ("id") NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: target schema
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "far"."parent" ("id") NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: two columns
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("x", "y")
  REFERENCES "life"."parent" ("a", "b") NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: on update
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "life"."parent" ("id") ON UPDATE CASCADE NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: on delete
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "life"."parent" ("id") ON DELETE SET NULL NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: restrict
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "life"."parent" ("id") ON UPDATE SET DEFAULT ON DELETE RESTRICT NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: deferrable
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" ALTER CONSTRAINT "child_parent_fkey" DEFERRABLE;

-- alter: deferred
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" ALTER CONSTRAINT "child_parent_fkey" DEFERRABLE INITIALLY DEFERRED;

-- alter: not validated
-- rebuilt: a validated foreign key cannot become NOT VALID

-- alter: comment
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'it''s second';

-- alter: no comment
-- lock: ACCESS SHARE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
