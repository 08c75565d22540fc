#!/bin/bash
# The database server's container: server.sh primary|replica|copy DATABASE ADMIN
#   primary  makes the cluster when the volume is empty, and keeps roles and passwords as /etc/flows/roles.sql has them
#   replica  copies the cluster from the primary when the volume is empty, and follows it
#   copy     starts what a restore has put into the volume, and changes nothing in it
# It begins as root, hands over volumes and secrets, and goes on as user postgres. It stays the first process: it takes
# in orphans (pgBackRest detaches its archiver, and an orphan that dies badly would look to the server like a crash of
# its own) and turns SIGTERM, for which the server would wait for every client, into a fast shutdown.
set -euo pipefail
umask 077

readonly role=$1 database=$2 admin=$3
readonly volume=/var/lib/flows/data sockets=/var/lib/flows/run backup=/var/lib/flows/backup
readonly given=/etc/flows private=/run/flows
readonly data=$volume/pg new=$volume/pg.new
readonly bin=/usr/lib/postgresql/17/bin
export PATH=$bin:$PATH LC_ALL=C.UTF-8 PGHOST=$sockets PGUSER=postgres PGPASSFILE=$private/pgpass

say() { echo "flows: $*" >&2; }
fail() { say "$*"; exit 64; }

as_root() {
  [ -x "$bin/postgres" ] || fail "this image has no PostgreSQL 17 in $bin; build one with: make image"
  [ -e "$("$bin/pg_config" --pkglibdir)/timescaledb.so" ] ||
    fail "this image has no TimescaleDB for PostgreSQL 17; build one with: make image"
  [ ! -e $given/pgbackrest.conf ] || command -v pgbackrest >/dev/null ||
    fail "this image has no pgbackrest, and backups are on; build one with: make image"
  local uid path
  uid=$(id -u postgres)
  for path in $volume $sockets $backup; do
    [ -w $path ] || continue # not there, or a repository that is only read
    # Only once: an image whose user has another number, or a new volume.
    [ "$(stat -c %u $path)" = "$uid" ] || chown -R postgres:postgres $path
    chmod 0700 $path
  done
  install -d -m 0755 -o postgres -g postgres $sockets
  rm -rf $private
  install -d -m 0700 -o postgres -g postgres $private
  find $given -type f -perm 0600 -exec install -m 0600 -o postgres -g postgres -t $private {} +
  exec setpriv --reuid=postgres --regid=postgres --init-groups --no-new-privs /bin/bash "$0" "$role" "$database" "$admin"
}

# Two servers on one volume would destroy it, and the number in postmaster.pid says nothing in another container. The
# lock is the kernel's: it ends with the container, however that ends, so what postmaster.pid says is stale then.
only_server() {
  exec 9>$volume/server.lock
  flock --wait 60 9 || fail "another container runs a server on this volume"
  rm -f $data/postmaster.pid
}

# Whatever a kill leaves is in pg.new and is thrown away; pg is there only when it is complete.
make_cluster() {
  rm -rf $new
  say "making the cluster"
  initdb --pgdata=$new --username=postgres --data-checksums --encoding=UTF8 --locale-provider=builtin \
    --locale=C.UTF-8 --builtin-locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256 >/dev/null
  postgres --single -j -D $new -c log_min_messages=error postgres >/dev/null < <(cat $private/roles.sql $given/first.sql)
  keep_cluster
}

copy_cluster() {
  rm -rf $new
  say "copying the cluster from its server"
  until [ -n "${stopping:-}" ] || pg_basebackup --pgdata=$new --dbname="$(primary)" --wal-method=stream --checkpoint=fast --no-password; do
    say "the server does not answer yet, or refused; again in 5 s"
    rm -rf $new
    sleep 5 & wait $!
  done
  [ -z "${stopping:-}" ] || exit 0
  touch $new/standby.signal
  keep_cluster
}

# The connection to the primary, as the server's own configuration has it.
primary() { sed -n "s/^primary_conninfo = '\(.*\)'$/\1/p" $given/postgresql.conf; }

keep_cluster() {
  sync -f $volume
  mv $new $data
  sync -f $volume
}

# Roles and passwords follow the configuration, also when its root secret has changed.
keep_roles() {
  until pg_isready -q; do
    kill -0 "$server" 2>/dev/null || return 0
    sleep 0.2
  done
  psql -XAtqc "SELECT pg_is_in_recovery()" -d postgres | grep -q f || return 0
  psql -Xq -v ON_ERROR_STOP=1 -d postgres -f $private/roles.sql >/dev/null
}

[ "$(id -u)" != 0 ] || as_root
trap 'stopping=1' TERM INT
only_server
if [ ! -d $data ]; then
  case $role in
    primary) make_cluster ;;
    replica) copy_cluster ;;
    *) fail "nothing was restored into this volume" ;;
  esac
fi
[ -z "${stopping:-}" ] || exit 0

postgres -D $data -c config_file=$given/postgresql.conf &
server=$!
trap 'kill -INT $server 2>/dev/null' TERM INT
[ "$role" != primary ] || keep_roles || say "roles could not be brought up to date"
while :; do
  code=0
  wait $server || code=$?
  kill -0 $server 2>/dev/null || exit $code
done
