CREATE TABLE beyond.numbers (n bigint NOT NULL, v real);
SELECT create_hypertable('beyond.numbers', by_range('n', 1000));
CREATE TABLE beyond.series (at timestamptz NOT NULL, v real);
SELECT create_hypertable('beyond.series', by_range('at'));
SELECT add_reorder_policy('beyond.series', 'series_at_idx');
-- What the provider's rules refuse: an open start that refreshes over dropped chunks.
CREATE MATERIALIZED VIEW beyond.daily WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 day', at) AS day, count(*) AS n FROM beyond.series GROUP BY 1 WITH NO DATA;
SELECT add_continuous_aggregate_policy('beyond.daily', NULL, INTERVAL '1 day', INTERVAL '1 day');
SELECT add_retention_policy('beyond.series', INTERVAL '90 days');
