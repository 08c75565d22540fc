-- topic: Network
-- title: From a home to its registers
-- note: Property, service head, meter, register: the path that most joins follow.
SELECT p.plot, h.name AS service_head, m.serial, r.element, r.nature
FROM api.properties p
JOIN api.properties_service_head ph ON ph.property = p.id
JOIN api.service_head_registry h ON h.id = ph.service_head
JOIN api.service_head_meter hm ON hm.service_head = h.id
JOIN api.meter_registry m ON m.id = hm.meter
JOIN api.meter_registers r ON r.meter_id = m.id
JOIN api.escos e ON e.id = m.esco
WHERE e.code = 'WLCE' AND p.plot = 'Plot 1'
ORDER BY m.serial, r.element;
