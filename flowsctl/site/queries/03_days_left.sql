-- topic: Money
-- title: For how many days will the credit last?
-- note: Falls of the balance over a week, top-ups left out, against what is left now.
WITH falls AS (
    SELECT meter_id, balance - lag(balance) OVER (PARTITION BY meter_id ORDER BY timestamp) AS change
    FROM api.meter_prepay_balance
    WHERE timestamp >= '2026-05-25' AND timestamp < '2026-06-01'
),
spent AS (
    SELECT meter_id, -sum(change) / 7 AS per_day FROM falls WHERE change < 0 GROUP BY meter_id
)
SELECT r.serial, s.balance, round(spent.per_day, 2) AS pounds_per_day,
    round(s.balance / nullif(spent.per_day, 0), 1) AS days_left
FROM spent
JOIN api.meter_shadows s ON s.id = spent.meter_id
JOIN api.meter_registry r ON r.id = spent.meter_id
ORDER BY days_left, r.serial;
