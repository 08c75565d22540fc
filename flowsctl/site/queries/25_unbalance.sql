-- topic: Health
-- title: How unevenly are the phases of three-phase supplies loaded?
SELECT m.serial, time_bucket('1 day', v.timestamp) AS day,
    round(max(greatest(voltage_l1, voltage_l2, voltage_l3) - least(voltage_l1, voltage_l2, voltage_l3))::numeric, 1)
        AS widest_spread
FROM api.meter_3p_voltage v
JOIN api.meter_registry m ON m.id = v.meter_id
WHERE v.timestamp >= '2026-05-29' AND v.timestamp < '2026-06-01'
GROUP BY m.serial, day
ORDER BY m.serial, day;
