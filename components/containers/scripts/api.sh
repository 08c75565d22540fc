#!/bin/bash
# The REST API's container: as root it hands the configuration, which holds passwords, to the user it then runs as.
set -euo pipefail
umask 077

readonly given=/etc/flows/api.conf private=/run/flows user=65534

command -v postgrest >/dev/null || { echo "flows: this image has no postgrest; build one with: make image" >&2; exit 64; }
rm -rf $private
install -d -m 0700 -o $user -g $user $private
install -m 0600 -o $user -g $user $given $private/api.conf
export HOME=$private # libpq looks there for a client's certificate, and root's home is closed to this user
exec setpriv --reuid=$user --regid=$user --clear-groups --no-new-privs postgrest $private/api.conf
