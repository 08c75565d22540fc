-- topic: Energy
-- title: What is the newest read of every register?
-- note: One index lookup per register. A time limit keeps a silent register from searching all of history.
SELECT m.serial, r.element, newest.timestamp, round(newest.read::numeric, 1) AS kwh
FROM api.meter_registers r
JOIN api.meter_registry m ON m.id = r.meter_id
CROSS JOIN LATERAL (
    SELECT i.timestamp, i.read
    FROM api.register_import i
    WHERE i.register_id = r.register_id AND i.timestamp >= '2026-05-30'
    ORDER BY i.timestamp DESC
    LIMIT 1
) newest
WHERE r.status = 'enabled' AND r.nature = 'power'
ORDER BY m.serial, r.element;
