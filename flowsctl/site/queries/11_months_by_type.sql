-- topic: Energy
-- title: How much heat, power and solar did each month bring?
SELECT m.month, c.type, round(sum(m.total_import_kwh)) AS import_kwh, round(sum(m.total_export_kwh)) AS export_kwh
FROM api.circuit_interval_monthly m
JOIN api.circuits c ON c.id = m.circuit_id
WHERE m.month >= '2026-05-01' AND m.month < '2026-06-01'
GROUP BY m.month, c.type
ORDER BY m.month, c.type;
