-- Job-plain: create
SELECT add_job('"life"."tidy"'::regproc, INTERVAL '1 day',
  config => '{"it''s": [1, null, true], "older": "90 days"}'::jsonb, initial_start => '2026-01-02T02:00:00+00:00', scheduled => TRUE,
  fixed_schedule => TRUE, timezone => 'Europe/London');
SELECT alter_job(j.job_id, max_runtime => INTERVAL '5 minutes', timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: schedule
SELECT alter_job(j.job_id, schedule_interval => INTERVAL '1 month', timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: config
SELECT alter_job(j.job_id, config => '{"older": "10 days"}'::jsonb, timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: empty config
SELECT alter_job(j.job_id, config => '{}'::jsonb, timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: no config
-- rebuilt: a job's configuration cannot be taken away

-- alter: first start
SELECT alter_job(j.job_id, initial_start => '2026-03-01T00:00:00+00:00', timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: zone
SELECT alter_job(j.job_id, timezone => 'Asia/Tokyo')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: no zone
SELECT alter_job(j.job_id, timezone => NULL)
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: sliding
SELECT alter_job(j.job_id, fixed_schedule => FALSE, initial_start => '2026-01-02T02:00:00+00:00', timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: runtime
SELECT alter_job(j.job_id, max_runtime => INTERVAL '1 hour', timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: no runtime
SELECT alter_job(j.job_id, max_runtime => INTERVAL '0 seconds', timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- alter: paused
SELECT alter_job(j.job_id, scheduled => FALSE, timezone => 'Europe/London')
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';

-- drop
SELECT delete_job(j.job_id)
FROM timescaledb_information.jobs j
WHERE j.proc_schema = 'life' AND j.proc_name = 'tidy';
