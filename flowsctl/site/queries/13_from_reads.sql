-- topic: Energy
-- title: How much was used per day, from the cumulative reads?
-- note: The counter's span within each day; a day's first hour belongs to the day before it, so use half-hours where there are some.
SELECT m.serial, r.element, time_bucket('1 day', i.timestamp) AS day,
    round((max(i.read) - min(i.read))::numeric, 2) AS kwh
FROM api.register_import i
JOIN api.meter_registers r ON r.register_id = i.register_id
JOIN api.meter_registry m ON m.id = r.meter_id
WHERE r.nature = 'heat'
    AND i.timestamp >= '2026-05-29' AND i.timestamp < '2026-06-01'
GROUP BY m.serial, r.element, day
ORDER BY m.serial, day;
