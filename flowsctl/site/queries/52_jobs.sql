-- topic: The database itself
-- title: Do the policies and jobs run?
-- moves: now
SELECT *
FROM monitoring.job_status;
