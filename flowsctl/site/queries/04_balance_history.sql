-- topic: Money
-- title: How did one meter's balance move, day by day?
-- note: first() and last() are TimescaleDB's: the value at the earliest and the latest time of each group.
SELECT time_bucket('1 day', b.timestamp) AS day,
    first(b.balance, b.timestamp) AS morning,
    last(b.balance, b.timestamp) AS evening,
    min(b.balance) AS lowest
FROM api.meter_prepay_balance b
WHERE b.meter_id = (SELECT id FROM api.meter_registry WHERE serial = 'EML2100000003')
    AND b.timestamp >= '2026-05-25' AND b.timestamp < '2026-06-01'
GROUP BY day
ORDER BY day;
