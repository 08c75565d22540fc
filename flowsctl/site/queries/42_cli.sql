-- topic: Network
-- title: Which active meters does the command line poll, and how do they answer?
SELECT serial, host(ip_address::inet) AS address, csq, health, feeder
FROM api.get_meters_for_cli('WLCE', NULL)
ORDER BY serial;
