-- RoleSettings-plain: create
DO $body1$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || E'SET "app"."esco" TO E''a''''b\\\\c %I $body$''';
END
$body1$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'SET "default_transaction_read_only" TO ''on''';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'SET "search_path" TO ''$user'', ''flows'', ''Sel"ect, é''';
END
$body$;
COMMENT ON ROLE "life" IS 'first';

-- alter: settings
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'SET "timezone" TO ''Europe/London''';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'SET "search_path" TO ''''';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "app"."esco"';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "default_transaction_read_only"';
END
$body$;

-- alter: no settings
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "app"."esco"';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "default_transaction_read_only"';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "search_path"';
END
$body$;

-- alter: comment
COMMENT ON ROLE "life" IS 'it''s second';

-- alter: no comment
COMMENT ON ROLE "life" IS NULL;

-- drop
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "app"."esco"';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "default_transaction_read_only"';
END
$body$;
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I ', 'life', pg_catalog.current_database()) || 'RESET "search_path"';
END
$body$;
COMMENT ON ROLE "life" IS NULL;
