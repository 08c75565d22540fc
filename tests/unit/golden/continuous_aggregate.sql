-- ContinuousAggregate-plain: create
CREATE MATERIALIZED VIEW "life"."hourly" WITH (timescaledb.continuous,
  timescaledb.materialized_only = TRUE,
  timescaledb.create_group_indexes = TRUE) AS
SELECT device, time_bucket('1 hour', at) AS hour, sum(kwh) AS kwh FROM life.reading GROUP BY 1, 2
WITH NO DATA;
-- lock: ACCESS EXCLUSIVE
ALTER MATERIALIZED VIEW "life"."hourly" OWNER TO "one";
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON VIEW "life"."hourly" IS 'it''s hourly';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."hourly"."hour" IS 'start';

-- alter: real-time
-- lock: ACCESS EXCLUSIVE
ALTER MATERIALIZED VIEW "life"."hourly" SET (timescaledb.materialized_only = FALSE);

-- alter: owner
-- lock: ACCESS EXCLUSIVE
ALTER MATERIALIZED VIEW "life"."hourly" OWNER TO "two";

-- alter: comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON VIEW "life"."hourly" IS 'second';

-- alter: no comment
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON VIEW "life"."hourly" IS NULL;

-- alter: column comments
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."hourly"."device" IS 'which';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."hourly"."kwh" IS 'sum';
-- lock: SHARE UPDATE EXCLUSIVE
COMMENT ON COLUMN "life"."hourly"."hour" IS NULL;

-- alter: query
-- rebuilt: the query of an aggregate cannot be altered

-- drop
-- lock: ACCESS EXCLUSIVE
-- data loss: the buckets of life.hourly are lost, those whose raw data is gone for good
--   allow: drop:life.hourly
--   probe: SELECT EXISTS (SELECT FROM timescaledb_information.continuous_aggregates a JOIN timescaledb_information.chunks c ON c.hypertable_schema = a.materialization_hypertable_schema AND c.hypertable_name = a.materialization_hypertable_name WHERE a.view_schema = 'life' AND a.view_name = 'hourly')
DROP MATERIALIZED VIEW "life"."hourly";
