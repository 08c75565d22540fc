-- topic: Energy
-- title: How much energy did each circuit use per day?
-- note: Ask the daily aggregate, not the half-hours: it holds one row per circuit and day.
SELECT c.name, d.day, round(d.total_import_kwh, 2) AS import_kwh, round(d.total_export_kwh, 2) AS export_kwh
FROM api.circuit_interval_daily d
JOIN api.circuits c ON c.id = d.circuit_id
WHERE d.day >= '2026-05-25' AND d.day < '2026-06-01' AND c.type = 'power'
ORDER BY d.day, import_kwh DESC, c.name;
