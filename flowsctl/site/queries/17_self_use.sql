-- topic: Energy
-- title: How much of the solar energy could each community use itself?
-- note: Per half hour the smaller of generation and demand; what is above it was exported.
WITH slots AS (
    SELECT m.esco, i.timestamp, sum(i.import_kwh) AS demand, sum(i.export_kwh) AS generation
    FROM api.register_interval_hh i
    JOIN api.meter_registers r ON r.register_id = i.register_id
    JOIN api.meter_registry m ON m.id = r.meter_id
    WHERE r.nature IN ('power', 'solar') AND i.timestamp >= '2026-05-25' AND i.timestamp < '2026-06-01'
    GROUP BY m.esco, i.timestamp
)
SELECT e.code, time_bucket('1 day', slots.timestamp) AS day,
    round(sum(generation), 1) AS generation_kwh,
    round(100 * sum(least(demand, generation)) / nullif(sum(generation), 0)) AS used_percent
FROM slots
JOIN api.escos e ON e.id = slots.esco
GROUP BY e.code, day
ORDER BY e.code, day;
