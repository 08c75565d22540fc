-- topic: Energy
-- title: When was the peak demand of each community, and how high?
-- note: A half hour of 1 kWh is a mean demand of 2 kW.
WITH demand AS (
    SELECT m.esco, i.timestamp, 2 * sum(i.import_kwh) AS kw
    FROM api.register_interval_hh i
    JOIN api.meter_registers r ON r.register_id = i.register_id
    JOIN api.meter_registry m ON m.id = r.meter_id
    WHERE r.nature = 'power' AND i.timestamp >= '2026-05-25' AND i.timestamp < '2026-06-01'
    GROUP BY m.esco, i.timestamp
)
SELECT DISTINCT ON (e.code) e.code, demand.timestamp, round(demand.kw, 1) AS kw
FROM demand
JOIN api.escos e ON e.id = demand.esco
ORDER BY e.code, demand.kw DESC, demand.timestamp;
