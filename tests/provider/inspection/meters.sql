-- The time-series part of the same database.

CREATE TABLE shop.visits (
  at timestamptz NOT NULL, shop integer NOT NULL, page text, duration interval, spent numeric(10, 2), customer integer REFERENCES shop.customers (id)
);
SELECT create_hypertable('shop.visits', by_range('at', INTERVAL '1 day'));
ALTER TABLE shop.visits SET (autovacuum_vacuum_insert_scale_factor = 0.01);
CREATE INDEX visits_shop ON shop.visits (shop, at DESC);
CREATE TABLE shop.sensor (
  "Time" timestamptz NOT NULL, device text NOT NULL, "Value" double precision CHECK ("Value" > -300), PRIMARY KEY ("Time", device)
);
SELECT create_hypertable('shop.sensor', by_range('Time', INTERVAL '1 week'), create_default_indexes => false);
SELECT add_dimension('shop.sensor', by_hash('device', 4));
CREATE TABLE shop.days (day date NOT NULL, visitors bigint);
SELECT create_hypertable('shop.days', by_range('day', INTERVAL '1 month'));
INSERT INTO shop.sensor SELECT t, 'a', 1 FROM generate_series(now() - INTERVAL '20 days', now(), INTERVAL '1 day') t;
CREATE TRIGGER touch_visits BEFORE INSERT ON shop.visits FOR EACH ROW WHEN (NEW.page IS NULL) EXECUTE FUNCTION reporting.fill();

ALTER TABLE shop.visits SET (timescaledb.compress, timescaledb.compress_segmentby = 'shop', timescaledb.compress_orderby = 'at DESC, page');
ALTER TABLE shop.sensor SET (timescaledb.compress, timescaledb.compress_segmentby = 'device', timescaledb.compress_orderby = '"Time" ASC NULLS FIRST');
SELECT add_compression_policy('shop.visits', INTERVAL '7 days');
SELECT add_retention_policy('shop.visits', INTERVAL '2 years');
SELECT add_retention_policy('shop.sensor', INTERVAL '90 days', schedule_interval => INTERVAL '12 hours');
SELECT compress_chunk(c) FROM (SELECT c FROM show_chunks('shop.sensor', older_than => INTERVAL '7 days') c LIMIT 1) x;

CREATE MATERIALIZED VIEW reporting.visits_hourly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
  SELECT time_bucket('1 hour', at) AS hour, shop, count(*) AS visits, sum(spent) AS spent, last(page, at) AS last_page
  FROM shop.visits GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW reporting.visits_daily WITH (timescaledb.continuous, timescaledb.create_group_indexes = false) AS
  SELECT time_bucket('1 day', hour, 'Europe/Berlin') AS day, shop, sum(visits) AS visits FROM reporting.visits_hourly GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW reporting.all_daily WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 day', hour) AS day, sum(spent) AS spent FROM reporting.visits_hourly GROUP BY 1 WITH NO DATA;
CREATE INDEX daily_by_shop ON reporting.visits_daily (shop, day DESC);
CREATE INDEX ON reporting.visits_hourly (visits);
ALTER MATERIALIZED VIEW reporting.visits_hourly SET (timescaledb.compress = true);
SELECT add_continuous_aggregate_policy('reporting.visits_hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '30 minutes');
SELECT add_continuous_aggregate_policy('reporting.visits_daily', INTERVAL '1 month', NULL, INTERVAL '1 day');
SELECT add_compression_policy('reporting.visits_hourly', INTERVAL '30 days');
SELECT add_retention_policy('reporting.visits_hourly', INTERVAL '5 years');
COMMENT ON VIEW reporting.visits_daily IS 'An aggregate on an aggregate';
CREATE VIEW reporting.last_days AS SELECT d.day, d.visits, a.spent FROM reporting.visits_daily d JOIN reporting.all_daily a USING (day);
GRANT SELECT ON reporting.visits_hourly, reporting.last_days, shop.visits TO shop_reader;
SELECT add_job('shop.refresh_reports', '1 hour', config => '{"what": ["all", 1, 2.5, null, true], "it''s": "ok"}', initial_start => '2030-01-01 03:00:00+00', timezone => 'Europe/Berlin');
