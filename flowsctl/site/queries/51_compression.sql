-- topic: The database itself
-- title: How much does the columnstore save?
-- moves: sizes
SELECT hypertable_name, uncompressed_total_bytes, compressed_total_bytes, compression_ratio
FROM monitoring.compression_status
ORDER BY hypertable_name;
