-- topic: Health
-- title: Where is the mobile signal poor?
-- note: Bounds of the classes are those of the column's comment.
SELECT m.serial, round(avg(q.csq), 1) AS mean_csq,
    CASE WHEN avg(q.csq) < 10 THEN 'poor' WHEN avg(q.csq) < 15 THEN 'fair' WHEN avg(q.csq) < 20 THEN 'good' ELSE 'excellent' END
        AS class,
    count(*) FILTER (WHERE q.csq IS NULL) AS failed
FROM api.meter_csq q
JOIN api.meter_registry m ON m.id = q.meter_id
WHERE q.timestamp >= '2026-05-25' AND q.timestamp < '2026-06-01'
GROUP BY m.serial
ORDER BY mean_csq, m.serial;
