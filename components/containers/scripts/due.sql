-- The backup that is due: full, diff, or nothing. What counts is what the repository has, so a missed one is caught up.
-- Variables: now, full_every, differential_every, at (time of day, UTC).
-- 2000-01-02 is a Sunday; schedules count from there, so that nothing has to be remembered.
\set info `pgbackrest --config=/run/flows/pgbackrest.conf --stanza=main --log-level-console=off info --output=json`
with settings as (
    select :'now'::timestamptz as now, ('2000-01-02 ' || :'at' || '+00')::timestamptz as anchor
),
slots as (
    select date_bin(:'full_every', now, anchor) as full_from, date_bin(:'differential_every', now, anchor) as any_from
    from settings
),
backups as (
    select b ->> 'type' as type, to_timestamp((b #>> '{timestamp,start}')::bigint) as started
    from jsonb_array_elements(:'info'::jsonb #> '{0,backup}') b
)
select case
    when not exists (select from backups b where b.type = 'full' and b.started >= s.full_from) then 'full'
    when not exists (select from backups b where b.type in ('full', 'diff') and b.started >= s.any_from) then 'diff'
    else ''
end
from slots s;
