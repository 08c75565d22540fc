-- topic: Energy
-- title: What did one meter import in each half hour of a day, in kWh?
-- note: Slots are stamped with their start, in UTC; a meter with two elements has two registers.
SELECT i.timestamp, r.element, i.import_kwh
FROM api.register_interval_hh i
JOIN api.meter_registers r ON r.register_id = i.register_id
JOIN api.meter_registry m ON m.id = r.meter_id
WHERE m.serial = 'EML2100000003'
    AND i.timestamp >= '2026-05-31' AND i.timestamp < '2026-06-01'
ORDER BY i.timestamp, r.element;
