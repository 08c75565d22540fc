#!/bin/bash
# One backup with its ledger: backup.sh full|diff|incr. Runs as user postgres beside the server's socket.
# backup.sh stop ends the one that runs; pgBackRest takes up again next time what it has copied.
# Prints one line per event. Exit code 0: done. 75: another backup is running. Else: it failed, and says why.
set -uo pipefail

kind=${1:?full, diff, incr or stop}
if [ "$kind" = stop ]; then
  kill -TERM "$(cat /run/flows/backup.pid)" 2>/dev/null
  exit 0
fi
pgbackrest=(pgbackrest --config=/run/flows/pgbackrest.conf --stanza=main)
sql=(psql -XqAt -v ON_ERROR_STOP=1 -h /var/lib/flows/run -U postgres -d "${FLOWS_DATABASE:-flows}")
output=$(mktemp)
child=

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }
reason() { sed -n 's/^.*ERROR:  *//p; s/^psql: error: //p' "$output" | head -n 1; }
end() { [ -z "$child" ] || kill -TERM "$child" 2>/dev/null; }
trap end TERM INT

# What a signal interrupts is the waiting, not the child: wait again for its end.
run() {
  "$@" >"$output" 2>&1 &
  child=$!
  wait "$child"; local code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  child=
  return "$code"
}

# pgBackRest has a lock of its own; this one also covers the ledger, and is taken before anything is done.
exec 9>/run/flows/backup.lock
flock -n 9 || { say "backup $kind refused: another backup is running"; rm -f "$output"; exit 75; }
echo $$ >/run/flows/backup.pid
trap 'rm -f "$output" /run/flows/backup.pid' EXIT

started=$SECONDS
notes=()
if run "${sql[@]}" -v stack="${FLOWS_STACK:-}" -v keep="${FLOWS_KEEP_LEDGERS:-30 days}" -f /etc/flows/ledger.sql; then
  read -r ledger sha256 <"$output" || true
  if [ -n "${ledger:-}" ]; then
    notes=("--annotation=ledger=$ledger" "--annotation=ledger-sha256=$sha256")
  else
    say "no ledger: this database has no monitoring.take_backup_ledger"
  fi
else
  # A backup that nothing can be held against is better than no backup; the check tells of it.
  say "ledger failed: $(reason)"
fi

if run "${pgbackrest[@]}" backup --type="$kind" "${notes[@]}"; then
  label=$(sed -n 's/^.* new backup label = //p' "$output")
  size=$(sed -n 's/^.* INFO: [a-z]* backup size = \([^,]*\),.*/\1/p' "$output")
else
  code=$?
  why=$(reason)
  [ "$code" != 50 ] || { say "backup $kind refused: $why"; exit 75; }
  say "backup $kind failed: ${why:-exit code $code}"
  exit "$code"
fi

if [ -n "${ledger:-}" ]; then
  run "${sql[@]}" -v ledger="$ledger" -v label="$label" -f /etc/flows/ledger_done.sql ||
    say "ledger $ledger was not marked as done: $(reason)"
fi
# A quiet server would not archive the segment that holds the backup's last records until it is full.
run "${sql[@]}" -c 'select pg_switch_wal()' || say "pg_switch_wal failed: $(reason)"
say "backup $label done: $size in $((SECONDS - started)) s, ledger ${ledger:-none}"
