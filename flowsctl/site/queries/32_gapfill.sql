-- topic: Gaps
-- title: How can a chart show a gap as a gap?
-- note: time_bucket_gapfill() makes a row for every bucket; interpolate() would bridge the gap instead.
SELECT time_bucket_gapfill('30 minutes', i.timestamp, timestamptz '2026-05-31 10:00', timestamptz '2026-05-31 14:00') AS slot,
    sum(i.import_kwh) AS import_kwh
FROM api.register_interval_hh i
JOIN api.meter_registers r ON r.register_id = i.register_id
JOIN api.meter_registry m ON m.id = r.meter_id
WHERE m.serial = 'EML2100000000'
    AND i.timestamp >= '2026-05-31 10:00' AND i.timestamp < '2026-05-31 14:00'
GROUP BY slot
ORDER BY slot;
