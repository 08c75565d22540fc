-- RoleMembership-plain: create
-- authorisation: what "two" may do as "one" changes
GRANT "one" TO "two" WITH ADMIN FALSE, INHERIT TRUE, SET TRUE;

-- alter: admin
-- authorisation: what "two" may do as "one" changes
GRANT "one" TO "two" WITH ADMIN TRUE, INHERIT TRUE, SET TRUE;

-- alter: not inherited
-- authorisation: what "two" may do as "one" changes
GRANT "one" TO "two" WITH ADMIN FALSE, INHERIT FALSE, SET TRUE;

-- alter: no SET ROLE
-- authorisation: what "two" may do as "one" changes
GRANT "one" TO "two" WITH ADMIN FALSE, INHERIT TRUE, SET FALSE;

-- drop
-- authorisation: "two" loses the rights of "one"
DO $body$DECLARE grantor text;
BEGIN
  FOR grantor IN SELECT pg_catalog.pg_get_userbyid(m.grantor) FROM pg_catalog.pg_auth_members m
    WHERE pg_catalog.pg_get_userbyid(m.roleid) = 'one'
      AND pg_catalog.pg_get_userbyid(m.member) = 'two'
  LOOP
    EXECUTE pg_catalog.format('REVOKE %I FROM %I GRANTED BY %I',
      'one', 'two', grantor);
  END LOOP;
END
$body$;
