-- One sentence where WAL does not reach the repository, nothing where it does.
-- A server whose archive_command hangs reports neither success nor failure: then segments wait.
with archiver as (
    select
        a.*,
        coalesce(a.last_failed_time > a.last_archived_time, a.last_failed_time is not null) as is_failing
    from pg_stat_archiver a
),
waiting as (
    select min(f.modification) as since
    from pg_ls_archive_statusdir() f
    where f.name like '%.ready'
)
select case
    when current_setting('archive_mode') = 'off' then 'archive_mode is off'
    when a.is_failing then format(
        'archive_command fails since %s, last for %s',
        to_char(a.last_failed_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), a.last_failed_wal
    )
    when w.since < now() - current_setting('archive_timeout')::interval - interval '60 seconds' then format(
        'WAL waits to be archived since %s', to_char(w.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
    )
end
from archiver a, waiting w;
