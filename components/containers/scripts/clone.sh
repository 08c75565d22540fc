#!/bin/bash
# Copies the cluster of a running server, reached by its socket, into a volume that has none, and ends. What a kill
# leaves is in pg.new: pg is there only when it is complete.
set -euo pipefail
umask 077

readonly volume=/var/lib/flows/data sockets=/var/lib/flows/run
export PATH=/usr/lib/postgresql/17/bin:$PATH LC_ALL=C.UTF-8
[ ! -e $volume/pg ] || { echo "there is a cluster in this volume" >&2; exit 64; }
install -d -o postgres -g postgres -m 0700 $volume
rm -rf $volume/pg.new
setpriv --reuid=postgres --regid=postgres --init-groups --no-new-privs \
  pg_basebackup --host=$sockets --username=postgres --pgdata=$volume/pg.new --wal-method=stream --checkpoint=fast --no-password
mv $volume/pg.new $volume/pg
sync -f $volume
