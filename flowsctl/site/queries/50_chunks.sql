-- topic: The database itself
-- title: Which chunks are the largest?
-- note: The seed's health check, with a view that works.
-- moves: sizes
SELECT hypertable_name, chunk_name, pg_size_pretty(total_bytes) AS size
FROM monitoring.chunk_sizes
WHERE hypertable_name = 'register_import'
ORDER BY total_bytes DESC
LIMIT 10;
