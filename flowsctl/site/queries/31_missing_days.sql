-- topic: Gaps
-- title: On which days is data missing, over the whole last year?
-- note: The materialized views register_*_missing have counted already; a job refreshes them every night.
-- moves: now
SELECT register_id, date, record_count, missing_count
FROM api.register_interval_hh_missing
WHERE missing_count > 0
ORDER BY date DESC, missing_count DESC
LIMIT 100;
