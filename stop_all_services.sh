#!/usr/bin/env bash
# Drains and stops what ./start_all_services.sh started.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: ./stop_all_services.sh [options]

Lets the services of the mesh finish what they have begun, stops them in reverse order, then the mesh's own Redis and
the supervisor, and prints what it did. Takes at most 10 seconds. State and logs stay.

  --demo          the demonstration mesh
  --config FILE   the mesh with that configuration
  --help          this text
TEXT
}

for argument in "$@"; do
    case $argument in --help | -h) usage && exit 0 ;; esac
done

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
meshctl=$root/.build/release/meshctl
if [ ! -x "$meshctl" ]; then
    echo "nothing to stop: the mesh was never built here (no $meshctl)"
    exit 0
fi
exec "$meshctl" stop "$@"
