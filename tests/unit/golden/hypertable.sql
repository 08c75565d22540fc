-- Hypertable-plain: create
-- lock: ACCESS EXCLUSIVE
-- table rewrite: rows that the table already holds are moved into chunks; reads and writes wait
SELECT create_hypertable('"life"."reading"'::regclass, by_range('at', INTERVAL '1 day 12 hours'),
  create_default_indexes => false, migrate_data => true);

-- alter: chunk interval
-- new chunks only: chunks that exist keep their bounds
SELECT set_chunk_time_interval('"life"."reading"'::regclass, INTERVAL '1 day', 'at');

-- alter: month
-- new chunks only: chunks that exist keep their bounds
SELECT set_chunk_time_interval('"life"."reading"'::regclass, INTERVAL '30 days', 'at');

-- alter: dimension
-- lock: ACCESS EXCLUSIVE
-- refused: life.reading has chunks, so no dimension by "device" can be added
--   probe: SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = '"life"."reading"'::regclass)
SELECT add_dimension('"life"."reading"'::regclass, by_hash('device', 3));

-- alter: time column
-- refused: The time column of Hypertable life.reading cannot change from "at" to "then". Declare a new table with that time column and copy the rows.

-- drop
-- refused: There is no way back from a hypertable to a plain table (Hypertable life.reading). Drop the Table with it, or declare the Hypertable again.
