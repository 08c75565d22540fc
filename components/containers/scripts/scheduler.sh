#!/bin/bash
# The backup scheduler: scheduler.sh (as root: prepares, then runs as postgres) | loop | health.
# Makes the stanza, checks that WAL reaches the repository, takes backups that are due, runs the SQL of jobs.tsv.
# Prints one line per event. SIGTERM ends it, with a backup that is running; pgBackRest resumes that one next time.
set -uo pipefail

state=/run/flows/state
tick=${FLOWS_TICK_SECONDS:-5}
look=${FLOWS_LOOK_SECONDS:-60}
longest_pause=900
pgbackrest=(pgbackrest --config=/run/flows/pgbackrest.conf --stanza=main)
sql=(psql -XqAt -v ON_ERROR_STOP=1 -h /var/lib/flows/run -U postgres -d "${FLOWS_DATABASE:-flows}")

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

prepare() {
  install -d -o postgres -g postgres -m 0700 /run/flows /run/flows/lock "$state"
  if [ -e /etc/flows/pgbackrest.conf ]; then
    install -o postgres -g postgres -m 0600 /etc/flows/pgbackrest.conf /run/flows/pgbackrest.conf
    # A new volume belongs to root.
    [ ! -d /var/lib/flows/backup ] || chown postgres:postgres /var/lib/flows/backup
  fi
  exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all --bounding-set=-all "$0" loop
}

# What is wrong, one file each: archive, backup. Nothing wrong: no file.
wrong() { # part sentence
  [ "$(cat "$state/wrong.$1" 2>/dev/null)" = "$2" ] || say "$1: $2"
  printf '%s\n' "$2" >"$state/wrong.$1"
}
right() { # part sentence
  if [ -e "$state/wrong.$1" ]; then rm -f "$state/wrong.$1"; say "$1: $2"; fi
}

health() {
  beat=$(stat -c %Y "$state/heartbeat" 2>/dev/null || echo 0)
  age=$(($(date +%s) - beat))
  [ "$age" -le $((tick * 6 + 90)) ] || { echo "the scheduler's loop does not turn: last seen $age seconds ago"; exit 1; }
  if compgen -G "$state/wrong.*" >/dev/null; then cat "$state"/wrong.*; exit 1; fi
  echo "archive checked, scheduler running"
}

reason() { sed -n 's/^.*ERROR:  *//p; s/^psql: error: //p' "$state/output" | head -n 1; }

# A command whose output goes to a file. It is waited for, because a signal interrupts that and no running command.
ask() {
  "$@" >"$state/output" 2>&1 &
  asked=$!
  wait "$asked"; local code=$?
  asked=
  return "$code"
}

# The whole way of a segment: server, archive_command, repository. Makes the stanza where there is none.
check_archive() {
  ask "${pgbackrest[@]}" stanza-create || { wrong archive "stanza-create failed: $(reason)"; return; }
  grep -q 'already exists' "$state/output" || say "archive: stanza made"
  ask "${pgbackrest[@]}" check || { wrong archive "check failed: $(reason)"; return; }
  right archive "check passed"
}

# What the server itself knows, without making it archive anything; what was wrong is checked the whole way.
look_at_archive() {
  if [ -e "$state/wrong.archive" ]; then
    check_archive
  elif ! ask "${sql[@]}" -f /etc/flows/archiver.sql; then
    wrong archive "the server does not answer: $(reason)"
  elif [ -n "$(cat "$state/output")" ]; then
    wrong archive "$(cat "$state/output")"
  fi
}

start_backup() {
  ask "${sql[@]}" -v now="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v full_every="$FLOWS_FULL_EVERY" \
    -v differential_every="$FLOWS_DIFFERENTIAL_EVERY" -v at="$FLOWS_BACKUP_AT" -f /etc/flows/due.sql ||
    { wrong backup "cannot tell what is due: $(reason)"; return; }
  local kind; kind=$(cat "$state/output")
  [ -n "$kind" ] || { right backup "nothing is due"; return; }
  say "backup $kind begins"
  /etc/flows/backup.sh "$kind" >"$state/backup.log" 2>&1 &
  backup=$!
}

end_backup() {
  wait "$backup"; local code=$?
  backup=
  cat "$state/backup.log"
  if [ "$code" = 0 ]; then
    failures=0
    right backup "the last one was taken"
    check_archive
  elif [ "$code" != 75 ]; then
    failures=$((failures + 1))
    local pause=$((60 << (failures < 5 ? failures - 1 : 4)))
    next_look=$(($(date +%s) + (pause < longest_pause ? pause : longest_pause)))
    wrong backup "$(tail -n 1 "$state/backup.log" | cut -d ' ' -f 2-)"
  fi
}

# The statements that are due, one after the other; the slots done are kept in the volume of the sockets.
run_jobs() {
  local now name every anchor statement slot started output
  while IFS=$'\t' read -r name every anchor statement; do
    now=$(date +%s)
    slot=$(((now - anchor) / every))
    [ "$(cat "$slots/$name" 2>/dev/null)" != "$slot" ] || continue
    printf '%s\n' "$slot" >"$slots/$name"
    started=$SECONDS
    if output=$("${sql[@]}" -c "$statement" </dev/null 2>&1 >/dev/null); then
      say "job $name done in $((SECONDS - started)) s"
    else
      say "job $name failed: $(sed -n 's/^.*ERROR:  *//p; s/^psql: error: //p' <<<"$output" | head -n 1)"
    fi
  done </etc/flows/jobs.tsv
}

stop() {
  trap '' TERM INT
  say "scheduler ends"
  local child
  for child in $backup $job $asked; do kill -TERM "$child" 2>/dev/null; done
  wait
  exit 0
}

# A child that was waited for is gone; one that ended is a zombie of ours until then.
ended() { ! kill -0 "$1" 2>/dev/null || [ "$(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null)" = Z ]; }

loop() {
  backup= job= asked= failures=0 next_look=0
  slots=/var/lib/flows/run/jobs
  mkdir -p "$slots"
  trap stop TERM INT
  say "scheduler begins"
  [ -e /run/flows/pgbackrest.conf ] && wrong archive "not checked yet"
  while :; do
    touch "$state/heartbeat"
    if [ -e /run/flows/pgbackrest.conf ]; then
      if [ -n "$backup" ]; then
        ! ended "$backup" || end_backup
      elif [ "$(date +%s)" -ge "$next_look" ]; then
        next_look=$(($(date +%s) + look))
        look_at_archive
        # While nothing reaches the repository no backup can end.
        [ -e "$state/wrong.archive" ] || start_backup
      fi
    fi
    if [ -e /etc/flows/jobs.tsv ] && { [ -z "$job" ] || ended "$job"; }; then
      run_jobs &
      job=$!
    fi
    sleep "$tick" &
    wait $!
  done
}

case ${1:-} in
  health) health ;;
  loop) loop ;;
  *) prepare ;;
esac
