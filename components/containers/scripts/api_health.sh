#!/bin/bash
# Whether the REST API serves: its connections and its picture of the schema are there (/ready of its admin server).
set -euo pipefail

exec 3<>/dev/tcp/127.0.0.1/3001
printf 'GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 5 _ status _ <&3
echo "ready answers $status"
[ "$status" = 200 ]
