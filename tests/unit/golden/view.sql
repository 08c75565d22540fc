-- View-plain: create
-- lock: ACCESS SHARE
CREATE VIEW "life"."shown"
AS
SELECT id, name -- it's; a comment
FROM life.thing;
-- lock: ACCESS EXCLUSIVE
ALTER VIEW "life"."shown" OWNER TO "one";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON VIEW "life"."shown" IS 'first';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."shown"."id" IS 'key';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."shown"."name" IS 'it''s';

-- alter: query
-- rebuilt: its query changes, and its columns may

-- alter: column at the end
-- lock: ACCESS EXCLUSIVE
CREATE OR REPLACE VIEW "life"."shown"
AS
SELECT id, name, "Or""der" FROM life.thing;

-- alter: other rows
-- lock: ACCESS EXCLUSIVE
-- authorisation: whose rights the view uses changes
CREATE OR REPLACE VIEW "life"."shown"
  WITH (security_barrier = true)
AS
SELECT id, name FROM life.thing WHERE id > 1;

-- alter: column of a joined table
-- lock: ACCESS EXCLUSIVE
CREATE OR REPLACE VIEW "life"."shown"
AS
SELECT id, name, kind FROM life.thing LEFT JOIN life.sort ON sort.thing = thing.id;

-- alter: column before others
-- rebuilt: its query changes, and its columns may

-- alter: barrier
-- lock: ACCESS EXCLUSIVE
-- authorisation: whose rights the view uses changes
ALTER VIEW "life"."shown" SET (security_barrier = true);

-- alter: invoker
-- lock: ACCESS EXCLUSIVE
-- authorisation: whose rights the view uses changes
ALTER VIEW "life"."shown" SET (security_invoker = true);

-- alter: checked
-- lock: ACCESS EXCLUSIVE
-- authorisation: whose rights the view uses changes
ALTER VIEW "life"."shown" SET (security_barrier = true, check_option = local);

-- alter: owner
-- lock: ACCESS EXCLUSIVE
ALTER VIEW "life"."shown" OWNER TO "two";

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON VIEW "life"."shown" IS 'it''s second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON VIEW "life"."shown" IS NULL;

-- alter: column comments
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."shown"."name" IS 'the name';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."shown"."id" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
DROP VIEW "life"."shown";
