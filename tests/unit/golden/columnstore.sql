-- Columnstore-policy: create
-- lock: ACCESS EXCLUSIVE
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"at" DESC');
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"at" DESC');
  END IF;
END
$body$;
CALL add_columnstore_policy('"life"."reading"'::regclass, after => INTERVAL '7 days', schedule_interval => INTERVAL '1 hour');

-- alter: segment
-- lock: ACCESS EXCLUSIVE
-- new chunks only: chunks converted before keep their layout
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"place", "device"', timescaledb.orderby = '"at" DESC');
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"place", "device"', timescaledb.orderby = '"at" DESC');
  END IF;
END
$body$;

-- alter: no segment
-- lock: ACCESS EXCLUSIVE
-- new chunks only: chunks converted before keep their layout
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '', timescaledb.orderby = '"at" DESC');
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '', timescaledb.orderby = '"at" DESC');
  END IF;
END
$body$;

-- alter: order
-- lock: ACCESS EXCLUSIVE
-- new chunks only: chunks converted before keep their layout
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"at" ASC, "kwh" DESC NULLS LAST');
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"at" ASC, "kwh" DESC NULLS LAST');
  END IF;
END
$body$;

-- alter: no order
-- refused: Columnstore life.reading names no order, so the server would guess one when it converts the first chunk. Give orderBy, for example the time column, descending.

-- alter: another order
-- lock: ACCESS EXCLUSIVE
-- new chunks only: chunks converted before keep their layout
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"kwh" DESC');
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"kwh" DESC');
  END IF;
END
$body$;

-- alter: empty last
-- lock: ACCESS EXCLUSIVE
-- new chunks only: chunks converted before keep their layout
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"at" DESC NULLS LAST');
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = true,
  timescaledb.segmentby = '"device"', timescaledb.orderby = '"at" DESC NULLS LAST');
  END IF;
END
$body$;

-- alter: later
SELECT alter_job(j.job_id, config => j.config || '{"compress_after": "1 month 2 hours"}'::jsonb, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_compression';

-- alter: schedule
SELECT alter_job(j.job_id, schedule_interval => INTERVAL '2 hours', timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_compression';

-- alter: schedule by default
CALL remove_columnstore_policy('"life"."reading"'::regclass, if_exists => true);
CALL add_columnstore_policy('"life"."reading"'::regclass, after => INTERVAL '8 days', schedule_interval => NULL);

-- alter: paused
SELECT alter_job(j.job_id, scheduled => FALSE, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_compression';

-- alter: no policy
CALL remove_columnstore_policy('"life"."reading"'::regclass, if_exists => true);

-- drop
CALL remove_columnstore_policy('"life"."reading"'::regclass, if_exists => true);
-- lock: ACCESS EXCLUSIVE
-- table rewrite: every converted chunk is written back as rows, which takes its full size on disk and locks it
SELECT decompress_chunk(c, true) FROM show_chunks('"life"."reading"'::regclass) c;
-- lock: ACCESS EXCLUSIVE
DO $body$BEGIN
  IF EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
             WHERE view_schema = 'life' AND view_name = 'reading') THEN
    ALTER MATERIALIZED VIEW "life"."reading" SET (timescaledb.enable_columnstore = false);
  ELSE
    ALTER TABLE "life"."reading" SET (timescaledb.enable_columnstore = false);
  END IF;
END
$body$;
