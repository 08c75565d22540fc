-- topic: Money
-- title: What does each meter pay, and what will it pay next?
SELECT serial, active_standing_charge, active_unit_rate_a, active_unit_rate_b,
    future_unit_rate_a, future_activation_datetime
FROM api.meter_shadows_tariffs
WHERE future_activation_datetime IS NOT NULL
ORDER BY serial;
