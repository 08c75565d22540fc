-- topic: Money
-- title: What is the balance of every prepayment meter?
-- note: The last known state of each meter is one row of meter_shadows; no history is read.
SELECT r.serial, r.name, s.balance, s.updated_at
FROM api.meter_shadows s
JOIN api.meter_registry r ON r.id = s.id
WHERE r.prepay_enabled
ORDER BY s.balance, r.serial;
