-- The backup that a ledger was written for is in the repository.
update monitoring.backup_ledger set backup = :'label', finished_at = clock_timestamp() where id = :'ledger';
