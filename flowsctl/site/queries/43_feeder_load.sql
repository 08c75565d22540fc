-- topic: Network
-- title: How high was the load of each feeder in its worst half hour?
WITH load AS (
    SELECT h.feeder, i.timestamp, 2 * sum(i.import_kwh - i.export_kwh) AS kw
    FROM api.register_interval_hh i
    JOIN api.meter_registers r ON r.register_id = i.register_id
    JOIN api.service_head_meter hm ON hm.meter = r.meter_id
    JOIN api.service_head_registry h ON h.id = hm.service_head
    WHERE r.nature <> 'heat' AND i.timestamp >= '2026-05-25' AND i.timestamp < '2026-06-01'
    GROUP BY h.feeder, i.timestamp
)
SELECT DISTINCT ON (f.name) f.name AS feeder, load.timestamp, round(load.kw, 1) AS net_kw
FROM load
JOIN api.feeder_registry f ON f.id = load.feeder
ORDER BY f.name, load.kw DESC, load.timestamp;
