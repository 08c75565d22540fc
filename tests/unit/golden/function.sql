-- Function-plain: create
CREATE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;
ALTER FUNCTION "life"."note"(text, integer) OWNER TO "one";
COMMENT ON FUNCTION "life"."note"(text, integer) IS 'first';

-- alter: body
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "plpgsql"
AS $body2$BEGIN RETURN $body1$ $body$ $body1$; END$body2$;

-- alter: language
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "sql"
AS $body$SELECT a$body$;

-- alter: returns
-- rebuilt: the result type of a function cannot be altered

-- alter: procedure
-- rebuilt: a function cannot become a procedure, nor the other way round

-- alter: parameter renamed
-- rebuilt: names, modes and defaults of a function's parameters cannot be taken away

-- alter: mode
-- rebuilt: names, modes and defaults of a function's parameters cannot be taken away

-- alter: default more
CREATE OR REPLACE FUNCTION "life"."note"("a" text DEFAULT 'it''s', "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: default changed
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 3)
  RETURNS text
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: default gone
-- rebuilt: names, modes and defaults of a function's parameters cannot be taken away

-- alter: volatility
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text STABLE
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: strict
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text STRICT
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: security definer
-- authorisation: with whose rights it runs changes
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "plpgsql" SECURITY DEFINER SET "search_path" TO ''
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: leakproof
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text LEAKPROOF
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: parallel
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text PARALLEL SAFE
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: cost
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text COST 1000.0
  LANGUAGE "plpgsql"
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: settings
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "plpgsql" SET "search_path" TO 'pg_catalog', 'Li"fe', 'pg_temp' SET "work_mem" TO '64MB'
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: other settings
CREATE OR REPLACE FUNCTION "life"."note"("a" text, "B" integer DEFAULT 1 + 1)
  RETURNS text
  LANGUAGE "plpgsql" SET "TimeZone" TO 'UTC' SET "app.esco" TO E'it''s, \\ "x"'
AS $body1$
BEGIN
    -- it's a comment; with $body$ and \ in it
    /* another */
    RETURN a || 'x';
END
$body1$;

-- alter: owner
ALTER FUNCTION "life"."note"(text, integer) OWNER TO "two";

-- alter: comment
COMMENT ON FUNCTION "life"."note"(text, integer) IS 'it''s second';

-- alter: no comment
COMMENT ON FUNCTION "life"."note"(text, integer) IS NULL;

-- drop
DROP FUNCTION "life"."note"(text, integer);
