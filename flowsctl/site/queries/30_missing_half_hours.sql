-- topic: Gaps
-- title: Which half-hours are missing?
-- note: Three half-hours were deleted from the demo data to have some. Expected slots first, then what is not there.
SELECT m.serial, r.element, slot AS missing
FROM api.meter_registers r
JOIN api.meter_registry m ON m.id = r.meter_id
CROSS JOIN generate_series(timestamptz '2026-05-30', '2026-05-31 23:30', interval '30 minutes') slot
LEFT JOIN api.register_interval_hh i ON i.register_id = r.register_id AND i.timestamp = slot
    AND i.timestamp >= '2026-05-30' AND i.timestamp < '2026-06-01'
WHERE r.status = 'enabled' AND i.register_id IS NULL
ORDER BY m.serial, r.element, missing;
