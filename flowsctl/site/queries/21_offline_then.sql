-- topic: Health
-- title: Which meters were silent at a moment in the past?
-- note: A null csq is a failed contact. The second time limit says how long ago still is of interest, and how many chunks are read.
SELECT m.serial, max(q.timestamp) AS last_online
FROM api.meter_registry m
LEFT JOIN api.meter_csq q ON q.meter_id = m.id AND q.csq IS NOT NULL
    AND q.timestamp > '2026-05-25' AND q.timestamp <= '2026-06-01'
WHERE m.mode = 'active'
GROUP BY m.serial
HAVING max(q.timestamp) IS NULL OR max(q.timestamp) < timestamptz '2026-06-01' - interval '3 hours'
ORDER BY last_online NULLS FIRST, m.serial;
