-- topic: Health
-- title: Where and when did the voltage leave its band?
-- note: 245 V is a planning limit for this example; the legal band in Great Britain is 216.2 V to 253.0 V (230 V +10 % -6 %, ESQCR 2002, regulation 27).
SELECT m.serial, count(*) AS hours, max(v.voltage) AS highest, min(v.timestamp) AS first_time
FROM api.meter_voltage v
JOIN api.meter_registry m ON m.id = v.meter_id
WHERE v.timestamp >= '2026-05-25' AND v.timestamp < '2026-06-01'
    AND (v.voltage > 245 OR v.voltage < 216.2)
GROUP BY m.serial
ORDER BY hours DESC, m.serial;
