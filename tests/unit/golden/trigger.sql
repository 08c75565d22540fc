-- Trigger-plain: create
-- lock: SHARE ROW EXCLUSIVE
CREATE TRIGGER "thing_note" BEFORE INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."note"();
-- lock: ACCESS SHARE
COMMENT ON TRIGGER "thing_note" ON "life"."thing" IS 'first';

-- alter: timing
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" AFTER INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."note"();

-- alter: events
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE UPDATE OR DELETE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."note"();

-- alter: columns
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE UPDATE OF "name", "when"
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."note"();

-- alter: statement
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE INSERT OR TRUNCATE
  ON "life"."thing"
  FOR EACH STATEMENT
  EXECUTE FUNCTION "life"."note"();

-- alter: when
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW WHEN (NEW.id > 0 /* ) */ AND NEW.name <> ')''x; EXECUTE FUNCTION ' -- )
 AND true)
  EXECUTE FUNCTION "life"."note"();

-- alter: function
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."other"();

-- alter: function schema
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "public"."note"();

-- alter: arguments
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."note"('it''s', '', 'a,b', E'back\\slash', E'\\000', 'größe');

-- alter: disabled
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."thing" DISABLE TRIGGER "thing_note";

-- alter: replica
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."thing" ENABLE REPLICA TRIGGER "thing_note";

-- alter: always
-- lock: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER "thing_note" BEFORE INSERT OR UPDATE
  ON "life"."thing"
  FOR EACH ROW
  EXECUTE FUNCTION "life"."other"();
-- lock: SHARE ROW EXCLUSIVE
ALTER TABLE "life"."thing" ENABLE ALWAYS TRIGGER "thing_note";

-- alter: comment
-- lock: ACCESS SHARE
COMMENT ON TRIGGER "thing_note" ON "life"."thing" IS 'it''s second';

-- alter: no comment
-- lock: ACCESS SHARE
COMMENT ON TRIGGER "thing_note" ON "life"."thing" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
DROP TRIGGER "thing_note" ON "life"."thing";
