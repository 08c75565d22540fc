-- topic: Health
-- title: Which events do meters log most often?
-- note: A plain table; unknown codes have no name.
SELECT l.event_type, coalesce(t.name, 'unknown') AS event, count(*) AS times, count(DISTINCT l.meter_id) AS meters
FROM api.meter_event_log l
LEFT JOIN api.meter_event_log_type t ON t.id = l.event_type
WHERE l.timestamp >= '2026-05-01' AND l.timestamp < '2026-06-01'
GROUP BY l.event_type, t.name
ORDER BY times DESC, l.event_type;
