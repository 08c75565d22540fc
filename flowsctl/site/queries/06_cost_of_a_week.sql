-- topic: Money
-- title: What did a week of electricity cost each home?
-- note: Unit rate A prices the elements A and SINGLE, rate B the element B; the standing charge is per day.
SELECT m.serial,
    round(sum(i.import_kwh), 2) AS kwh,
    round(sum(i.import_kwh * CASE r.element WHEN 'B' THEN t.active_unit_rate_b ELSE t.active_unit_rate_a END), 2)
        AS energy_pounds,
    round(7 * max(t.active_standing_charge), 2) AS standing_pounds
FROM api.register_interval_hh i
JOIN api.meter_registers r ON r.register_id = i.register_id
JOIN api.meter_registry m ON m.id = r.meter_id
JOIN api.meter_shadows_tariffs t ON t.id = m.id
WHERE r.nature = 'power'
    AND i.timestamp >= '2026-05-25' AND i.timestamp < '2026-06-01'
GROUP BY m.serial
ORDER BY kwh DESC, m.serial;
