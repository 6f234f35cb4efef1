#!/usr/bin/env bash
# Installs what is missing, builds in release mode, and starts the mesh.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: ./start_all_services.sh [options]

Installs the missing Debian packages, builds in release mode, starts the mesh's own Redis (unless REDIS_URL names
another) and the seven services under a supervisor, waits until each is ready and prints a table of them.
Run again while the mesh runs, it changes nothing. Stop with ./stop_all_services.sh

  --demo                 a mesh with simulated terminals and a state of its own; not beside a running mesh
  --config FILE          another configuration, for example of a second mesh on other ports
  --listen ADDRESS       opens the EA ports beyond 127.0.0.1
  --allow-unsafe-redis   accepts a Redis that may lose what it acknowledged
  --restart              builds if the sources are newer, then restarts the running mesh with that build
  --help                 this text

MESH_VAR puts the state elsewhere (default: var/). State: var/, logs: logs/<service>.log

Exit codes: 0 the mesh runs, 64 bad usage, 69 a package is missing; other codes: the line before says what failed,
and nothing was left running.
TEXT
}

bad_usage() {
    echo "start_all_services.sh: $1 (see --help)" >&2
    exit 64
}

pass=()
restart=no
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage && exit 0 ;;
        --restart) restart=yes ;;
        --demo | --allow-unsafe-redis) pass+=("$1") ;;
        --config | --listen)
            [ $# -ge 2 ] || bad_usage "$1 needs a value"
            pass+=("$1" "$2")
            shift
            ;;
        --config=* | --listen=*) pass+=("$1") ;;
        *) bad_usage "unknown option '$1'" ;;
    esac
    shift
done

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=deploy/scripts/build.sh
. "$root/deploy/scripts/build.sh"
ensure_home

"$root/deploy/scripts/prerequisites.sh"

# Programs are not replaced beneath running processes unless a restart was asked for: a service that the supervisor
# brings back would otherwise be of another build than its neighbours.
running=$(running_from_build | tr '\n' ' ')
if is_stale; then
    if [ -z "$running" ] || [ "$restart" = yes ]; then
        build_release || {
            echo "start_all_services.sh: the build failed; nothing was started or stopped" >&2
            exit 70
        }
    elif is_built; then
        echo "the running build is older than the sources; ./start_all_services.sh --restart builds and restarts"
    else
        echo "start_all_services.sh: programs of an incomplete build run (process ids: $running): stop them first" >&2
        exit 70
    fi
fi

command=start
[ "$restart" = yes ] && [ -n "$running" ] && command=restart
exec "$release/meshctl" "$command" ${pass[@]+"${pass[@]}"}
