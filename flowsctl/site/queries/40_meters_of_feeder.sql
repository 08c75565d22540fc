-- topic: Network
-- title: How many service heads and meters hang on each feeder?
SELECT f.name AS feeder, count(DISTINCT h.id) AS service_heads, count(DISTINCT hm.meter) AS meters
FROM api.feeder_registry f
JOIN api.service_head_registry h ON h.feeder = f.id
LEFT JOIN api.service_head_meter hm ON hm.service_head = h.id
GROUP BY f.name
ORDER BY f.name;
