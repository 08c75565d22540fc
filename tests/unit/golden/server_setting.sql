-- ServerSetting-plain: create
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER DATABASE %I ', pg_catalog.current_database()) || 'SET "work_mem" TO ''5MB''';
END
$body$;

-- alter: value
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER DATABASE %I ', pg_catalog.current_database()) || 'SET "work_mem" TO ''6000kB''';
END
$body$;

-- drop
DO $body$BEGIN
  EXECUTE pg_catalog.format('ALTER DATABASE %I ', pg_catalog.current_database()) || 'RESET "work_mem"';
END
$body$;
