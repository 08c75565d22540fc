#!/bin/bash
# Puts the cluster of a copy (/copy) in the place of a stack's (/var/lib/flows/data). What was there stays beside it, until
# the next switch. No server may run on either volume.
set -euo pipefail
umask 077

readonly from=/copy to=/var/lib/flows/data
[ -e "$from/pg/PG_VERSION" ] || { echo "the copy has no cluster" >&2; exit 64; }
for volume in "$from" "$to"; do
  # The server opens it as its own user, and a new volume has none yet.
  [ -e "$volume/server.lock" ] || install -o postgres -g postgres -m 0600 /dev/null "$volume/server.lock"
  exec 9<"$volume/server.lock"
  flock --nonblock 9 || { echo "a server still runs on $volume" >&2; exit 65; }
  exec 9<&-
done
rm -rf "$to/pg.new"
cp -a --reflink=auto "$from/pg" "$to/pg.new"
rm -f "$to/pg.new/postmaster.pid"
sync -f "$to"
if [ -e "$to/pg" ]; then
  rm -rf "$to/pg.before"
  mv "$to/pg" "$to/pg.before"
fi
mv "$to/pg.new" "$to/pg"
# What was queued there belongs to the cluster that was there.
rm -rf "$to/spool"
chown postgres:postgres "$to"
sync -f "$to"
