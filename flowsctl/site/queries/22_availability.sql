-- topic: Health
-- title: How reliably does each meter answer?
SELECT m.serial, count(*) AS contacts,
    round(100.0 * count(*) FILTER (WHERE h.health = 'healthy') / count(*), 2) AS healthy_percent
FROM api.meter_health_history h
JOIN api.meter_registry m ON m.id = h.meter_id
WHERE h.timestamp >= '2026-05-25' AND h.timestamp < '2026-06-01'
GROUP BY m.serial
ORDER BY healthy_percent, m.serial;
