#!/bin/bash
# The container of a restore: makes the folders and the private copy of pgbackrest.conf that user postgres needs, says
# so, and waits. What is restored is a command of its own in it.
set -euo pipefail
umask 077

readonly volume=/var/lib/flows/data private=/run/flows given=/etc/flows
command -v pgbackrest >/dev/null || { echo "this image has no pgbackrest" >&2; exit 64; }
for path in "$volume" "$volume/pg" "$volume/spool" "$private" "$private/lock"; do
  install -d -o postgres -g postgres -m 0700 "$path"
done
install -o postgres -g postgres -m 0600 $given/pgbackrest.conf $private/pgbackrest.conf
echo ready
trap 'exit 0' TERM INT
while :; do
  sleep 3600 &
  wait $!
done
