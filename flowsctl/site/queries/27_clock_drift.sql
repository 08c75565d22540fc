-- topic: Health
-- title: Which meters' clocks are wrong?
-- note: A wrong clock puts energy into the wrong half hour and starts tariffs late.
SELECT serial, name, clock_time_diff_seconds
FROM api.meters_clock_drift
ORDER BY abs(clock_time_diff_seconds) DESC, serial;
