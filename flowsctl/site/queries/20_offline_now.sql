-- topic: Health
-- title: Which meters are offline now?
-- note: Silent for longer than the setting offlineAfter. meters_offline_recently leaves out those silent for longer than offlineRecentLimit.
-- moves: now
SELECT serial, name, last_online
FROM api.meters_offline_all
ORDER BY last_online DESC NULLS LAST, serial;
