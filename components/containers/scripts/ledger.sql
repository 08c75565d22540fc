-- The ledger of the backup that follows: prints its id and checksum, nothing where the database has no ledger.
select to_regprocedure('monitoring.take_backup_ledger(text,interval)') is not null as has_ledger \gset
\if :has_ledger
begin isolation level repeatable read;
select id || ' ' || sha256 from monitoring.take_backup_ledger(:'stack', :'keep');
commit;
\endif
