-- ForeignKey-plain: create
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."child" ADD CONSTRAINT "child_parent_fkey" FOREIGN KEY ("parent")
  REFERENCES "life"."parent" ("id") NOT VALID;
-- lock: SHARE UPDATE EXCLUSIVE
-- long scan: every row is checked while reads and writes go on
ALTER TABLE "life"."child" VALIDATE CONSTRAINT "child_parent_fkey";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'first';

-- alter: column
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: target
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: target schema
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: two columns
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: on update
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: on delete
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: restrict
-- rebuilt: a foreign key's columns, target and actions cannot be altered

-- alter: deferrable
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" ALTER CONSTRAINT "child_parent_fkey" DEFERRABLE;

-- alter: deferred
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" ALTER CONSTRAINT "child_parent_fkey" DEFERRABLE INITIALLY DEFERRED;

-- alter: not validated
-- rebuilt: a validated foreign key cannot become NOT VALID

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON CONSTRAINT "child_parent_fkey" ON "life"."child" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
ALTER TABLE "life"."child" DROP CONSTRAINT "child_parent_fkey";
