-- RlsPolicy-plain: create
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees and writes changes
CREATE POLICY "isolation" ON "life"."thing" AS PERMISSIVE
  FOR ALL TO "one"
  USING (id > 0)
  WITH CHECK (id > 1);
-- lock: ACCESS SHARE
COMMENT ON POLICY "isolation" ON "life"."thing" IS 'first';

-- alter: command
-- rebuilt: the command and the permissiveness of a policy cannot be altered

-- alter: restrictive
-- rebuilt: the command and the permissiveness of a policy cannot be altered

-- alter: roles
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees and writes changes
ALTER POLICY "isolation" ON "life"."thing" TO "Two ""2"" x", "one"
  USING (id > 0)
  WITH CHECK (id > 1);

-- alter: everyone
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees and writes changes
ALTER POLICY "isolation" ON "life"."thing" TO PUBLIC
  USING (id > 0)
  WITH CHECK (id > 1);

-- alter: using
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees and writes changes
ALTER POLICY "isolation" ON "life"."thing" TO "one"
  USING (owner = current_user -- it's mine;
 AND true)
  WITH CHECK (id > 1);

-- alter: using gone
-- rebuilt: an expression of a policy cannot be taken away

-- alter: check
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees and writes changes
ALTER POLICY "isolation" ON "life"."thing" TO "one"
  USING (id > 0)
  WITH CHECK (owner <> 'it''s');

-- alter: check gone
-- rebuilt: an expression of a policy cannot be taken away

-- alter: comment
-- lock: ACCESS SHARE
COMMENT ON POLICY "isolation" ON "life"."thing" IS 'it''s second';

-- alter: no comment
-- lock: ACCESS SHARE
COMMENT ON POLICY "isolation" ON "life"."thing" IS NULL;

-- drop
-- lock: ACCESS EXCLUSIVE
-- authorisation: which rows a role sees and writes changes
DROP POLICY "isolation" ON "life"."thing";
