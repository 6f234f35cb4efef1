#!/usr/bin/env bash
# The faults of a fleet, against private meshes on free ports: Tests/Chaos/run_fleet.sh [--full] [--line N] [--seed S]
# [--keep]. MESH_PRODUCTS names the folder of the executables (default .build/release).
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python=/usr/bin/python3

skip() {
    echo "skipped the fleet's faults: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

"$python" -c 'import zmq' 2>/dev/null || skip "$python has no zmq (apt-get install python3-zmq)"
command -v redis-cli >/dev/null || skip "redis-cli is missing (apt-get install redis-tools)"
# Thousands of connections.
ulimit -n "$(ulimit -Hn)"

faults=
trap '[ -n "$faults" ] && kill -TERM "$faults" 2>/dev/null' INT TERM HUP
"$python" -I -B -c '
import runpy, sys
folder = sys.argv.pop(1)
sys.path[:0] = [folder + "/fleet", folder, folder + "/../Outside"]
sys.argv[0] = "fleet.py"
runpy.run_path(folder + "/fleet/fleet.py", run_name="__main__")' "$directory" "$@" &
faults=$!
# A signal ends the first wait; the script then cleans up after itself and is waited for.
wait "$faults"
status=$?
while kill -0 "$faults" 2>/dev/null; do
    wait "$faults"
    status=$?
done
exit "$status"
