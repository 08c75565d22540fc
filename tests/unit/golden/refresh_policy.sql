-- RefreshPolicy-plain: create
SELECT add_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, start_offset => INTERVAL '7 days', end_offset => INTERVAL '30 minutes',
  schedule_interval => INTERVAL '30 minutes');

-- alter: start
SELECT remove_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, if_exists => true);
SELECT add_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, start_offset => INTERVAL '8 days 12 hours', end_offset => INTERVAL '30 minutes',
  schedule_interval => INTERVAL '30 minutes');

-- alter: open start
SELECT remove_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, if_exists => true);
SELECT add_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, start_offset => NULL, end_offset => INTERVAL '30 minutes',
  schedule_interval => INTERVAL '30 minutes');

-- alter: end
SELECT remove_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, if_exists => true);
SELECT add_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, start_offset => INTERVAL '7 days', end_offset => INTERVAL '1 hour',
  schedule_interval => INTERVAL '30 minutes');

-- alter: open end
SELECT remove_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, if_exists => true);
SELECT add_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, start_offset => INTERVAL '7 days', end_offset => NULL,
  schedule_interval => INTERVAL '30 minutes');

-- alter: schedule
SELECT alter_job(j.job_id, schedule_interval => INTERVAL '1 hour', timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'Hourly é'''
  AND j.proc_name = 'policy_refresh_continuous_aggregate';

-- alter: paused
SELECT alter_job(j.job_id, scheduled => FALSE, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'Hourly é'''
  AND j.proc_name = 'policy_refresh_continuous_aggregate';

-- alter: all
SELECT remove_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, if_exists => true);
SELECT add_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, start_offset => INTERVAL '3 days', end_offset => NULL,
  schedule_interval => INTERVAL '1 day');
SELECT alter_job(j.job_id, scheduled => FALSE, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'Hourly é'''
  AND j.proc_name = 'policy_refresh_continuous_aggregate';

-- drop
SELECT remove_continuous_aggregate_policy('"life"."Hourly é''"'::regclass, if_exists => true);
