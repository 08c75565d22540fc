-- topic: Energy
-- title: What does an average day look like?
-- note: Mean demand by half hour of the day, working days against weekends. Local time moves with summer time, so name the zone.
SELECT (h.timestamp AT TIME ZONE 'Europe/London')::time AS local_time,
    round(2 * avg(h.total_import_kwh) FILTER (WHERE extract(isodow FROM h.timestamp AT TIME ZONE 'Europe/London') < 6), 3)
        AS working_day_kw,
    round(2 * avg(h.total_import_kwh) FILTER (WHERE extract(isodow FROM h.timestamp AT TIME ZONE 'Europe/London') > 5), 3)
        AS weekend_kw
FROM api.circuit_interval_hh h
JOIN api.circuits c ON c.id = h.circuit_id
WHERE c.type = 'power' AND h.timestamp >= '2026-05-18' AND h.timestamp < '2026-06-01'
GROUP BY local_time
ORDER BY local_time;
