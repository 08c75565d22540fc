#!/bin/bash
# Whether the database server serves: health.sh primary|replica|copy DATABASE ADMIN. Docker keeps what it prints.
# A server that accepts connections may still be of no use: pg_isready is content during a restore, with a library that
# does not fit the extension, and without the scheduler.
set -euo pipefail

# A new image waits this long, in seconds after the start, for the update of the extension, which a program makes that
# waits for health itself.
readonly grace=${FLOWS_UPDATE_GRACE:-600}
readonly role=$1 database=$2 admin=$3 volume=/var/lib/flows/data
export PATH=/usr/lib/postgresql/17/bin:$PATH PGPASSFILE=/run/flows/pgpass PGCONNECT_TIMEOUT=3
export PGOPTIONS='-c statement_timeout=4s -c lock_timeout=2s -c log_min_error_statement=panic'

[ "$(id -u)" != 0 ] || exec setpriv --reuid=postgres --regid=postgres --init-groups /bin/bash "$0" "$@"

red() { echo "$*"; exit 1; }
ask() { psql -XAtq -h 127.0.0.1 -U "$admin" -w -d "$1" -c "$2" 2>&1; }

[ -d $volume/pg ] || red "the cluster is still being made"
answer=$(ask postgres "
  SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_database WHERE datname = '$database'),
         (SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'),
         extract(epoch FROM now() - pg_postmaster_start_time())::bigint") || red "no answer: $answer"
IFS='|' read -r recovering found streaming up <<<"$answer"
case $role in
  primary) [ "$recovering" = f ] || red "still in recovery" ;;
  replica)
    [ "$recovering" = t ] || red "a standby that was promoted"
    [ "$streaming" = 1 ] || red "not connected to its server"
    ;;
esac
outdated() {
  [ "$up" -ge "$grace" ] || { echo "for now: $*"; exit 0; }
  red "$*"
}
[ "$found" = 1 ] || { echo "ready; the database is not there yet"; exit 0; }

# In the database itself: restoring is a setting of the database, the scheduler is one for each database.
answer=$(ask "$database" "
  SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), ''),
         coalesce((SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'), ''),
         coalesce(current_setting('timescaledb.restoring', true), 'off'),
         coalesce(current_setting('timescaledb.max_background_workers', true), '0'),
         (SELECT count(*) FROM pg_stat_activity
          WHERE backend_type = 'TimescaleDB Background Worker Scheduler' AND datname = current_database())") || {
  # The loader cannot find the library of the version that the database has.
  [[ $answer != *libdir/timescaledb-* ]] || outdated "the extension's library is not in this image: $answer"
  red "no answer from the database: $answer"
}
IFS='|' read -r extension library restoring workers schedulers <<<"$answer"
[ -n "$extension" ] || { echo "ready; TimescaleDB is not in the database yet"; exit 0; }
[ "$extension" = "$library" ] ||
  outdated "the extension is $extension and the library $library: run ALTER EXTENSION timescaledb UPDATE"
[ "$restoring" = off ] || red "timescaledb.restoring is on: run SELECT timescaledb_post_restore()"
if [ "$recovering" = f ] && [ "$workers" -gt 0 ] && [ "$schedulers" = 0 ]; then
  red "TimescaleDB's scheduler does not run: no job does"
fi
echo ready
