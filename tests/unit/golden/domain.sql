-- Domain-plain: create
CREATE DOMAIN "life"."counter" AS integer DEFAULT (2) NOT NULL
  CONSTRAINT "positive" CHECK (VALUE > 0)
  CONSTRAINT "even" CHECK (VALUE % 2 -- even)
 = 0);
ALTER DOMAIN "life"."counter" OWNER TO "one";
COMMENT ON DOMAIN "life"."counter" IS 'first';

-- alter: type
-- rebuilt: the underlying type of a domain cannot be altered

-- alter: nullable
ALTER DOMAIN "life"."counter" DROP NOT NULL;

-- alter: default
ALTER DOMAIN "life"."counter" SET DEFAULT 4 + 4;

-- alter: no default
ALTER DOMAIN "life"."counter" DROP DEFAULT;

-- alter: checks
ALTER DOMAIN "life"."counter" DROP CONSTRAINT "even";
ALTER DOMAIN "life"."counter" ADD CONSTRAINT "Sel""ect" CHECK (value < 100) NOT VALID;
-- lock: SHARE
-- long scan: every column of this domain is checked while writes to its table wait
ALTER DOMAIN "life"."counter" VALIDATE CONSTRAINT "Sel""ect";

-- alter: check rewritten
ALTER DOMAIN "life"."counter" DROP CONSTRAINT "positive";
ALTER DOMAIN "life"."counter" ADD CONSTRAINT "positive" CHECK (VALUE >= 1) NOT VALID;
-- lock: SHARE
-- long scan: every column of this domain is checked while writes to its table wait
ALTER DOMAIN "life"."counter" VALIDATE CONSTRAINT "positive";

-- alter: no checks
ALTER DOMAIN "life"."counter" DROP CONSTRAINT "positive";
ALTER DOMAIN "life"."counter" DROP CONSTRAINT "even";

-- alter: check not validated
ALTER DOMAIN "life"."counter" DROP CONSTRAINT "even";
ALTER DOMAIN "life"."counter" ADD CONSTRAINT "even" CHECK (VALUE % 2 -- even)
 = 0) NOT VALID;

-- alter: owner
ALTER DOMAIN "life"."counter" OWNER TO "two";

-- alter: comment
COMMENT ON DOMAIN "life"."counter" IS 'it''s second';

-- alter: no comment
COMMENT ON DOMAIN "life"."counter" IS NULL;

-- drop
DROP DOMAIN "life"."counter";
