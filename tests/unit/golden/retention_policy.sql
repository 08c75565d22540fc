-- RetentionPolicy-plain: create
-- data loss: chunks of life.reading older than 2 years are dropped at its next run
--   allow: retention:life.reading
--   probe: SELECT EXISTS (SELECT FROM timescaledb_information.chunks c LEFT JOIN timescaledb_information.continuous_aggregates a ON a.materialization_hypertable_schema = c.hypertable_schema AND a.materialization_hypertable_name = c.hypertable_name WHERE COALESCE(a.view_schema, c.hypertable_schema) = 'life' AND COALESCE(a.view_name, c.hypertable_name) = 'reading' AND c.range_end <= now() - INTERVAL '2 years')
SELECT add_retention_policy('"life"."reading"'::regclass, drop_after => INTERVAL '2 years', schedule_interval => INTERVAL '12 hours');

-- alter: shorter
-- data loss: chunks of life.reading older than 90 days are dropped at its next run
--   allow: retention:life.reading
--   probe: SELECT EXISTS (SELECT FROM timescaledb_information.chunks c LEFT JOIN timescaledb_information.continuous_aggregates a ON a.materialization_hypertable_schema = c.hypertable_schema AND a.materialization_hypertable_name = c.hypertable_name WHERE COALESCE(a.view_schema, c.hypertable_schema) = 'life' AND COALESCE(a.view_name, c.hypertable_name) = 'reading' AND c.range_end <= now() - INTERVAL '90 days')
SELECT alter_job(j.job_id, config => j.config || '{"drop_after": "90 days"}'::jsonb, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_retention';

-- alter: longer
SELECT alter_job(j.job_id, config => j.config || '{"drop_after": "2 years 10 days"}'::jsonb, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_retention';

-- alter: schedule
SELECT alter_job(j.job_id, schedule_interval => INTERVAL '1 hour', timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_retention';

-- alter: schedule by default
SELECT remove_retention_policy('"life"."reading"'::regclass, if_exists => true);
SELECT add_retention_policy('"life"."reading"'::regclass, drop_after => INTERVAL '2 years', schedule_interval => NULL);

-- alter: schedule by default, paused
SELECT remove_retention_policy('"life"."reading"'::regclass, if_exists => true);
-- data loss: chunks of life.reading older than 1 day are dropped at its next run
--   allow: retention:life.reading
--   probe: SELECT EXISTS (SELECT FROM timescaledb_information.chunks c LEFT JOIN timescaledb_information.continuous_aggregates a ON a.materialization_hypertable_schema = c.hypertable_schema AND a.materialization_hypertable_name = c.hypertable_name WHERE COALESCE(a.view_schema, c.hypertable_schema) = 'life' AND COALESCE(a.view_name, c.hypertable_name) = 'reading' AND c.range_end <= now() - INTERVAL '1 day')
SELECT add_retention_policy('"life"."reading"'::regclass, drop_after => INTERVAL '1 day', schedule_interval => NULL);
SELECT alter_job(j.job_id, scheduled => FALSE, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_retention';

-- alter: paused
SELECT alter_job(j.job_id, scheduled => FALSE, timezone => b.timezone)
FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.hypertable_schema = 'life' AND j.hypertable_name = 'reading'
  AND j.proc_name = 'policy_retention';

-- drop
SELECT remove_retention_policy('"life"."reading"'::regclass, if_exists => true);
