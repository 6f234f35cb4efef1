#!/usr/bin/env bash
# The written dialogues (line 9 of the table of faults), against a private mesh: Tests/Chaos/run_dialogues.sh [NAME …].
# MESH_PRODUCTS names the folder of the executables (default .build/release); KEEP_STATE=1 keeps a failed mesh's state.
# Exit codes: 0 every dialogue passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python=/usr/bin/python3

skip() {
    echo "skipped the dialogues: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

"$python" -c 'import zmq' 2>/dev/null || skip "$python has no zmq (apt-get install python3-zmq)"
command -v redis-cli >/dev/null || skip "redis-cli is missing (apt-get install redis-tools)"

dialogues=
trap '[ -n "$dialogues" ] && kill -TERM "$dialogues" 2>/dev/null' INT TERM HUP
"$python" -I -B -c '
import runpy, sys
folder = sys.argv.pop(1)
sys.path[:0] = [folder, folder + "/../Outside"]
sys.argv[0] = "dialogues.py"
runpy.run_path(folder + "/dialogues.py", run_name="__main__")' "$directory" "$@" &
dialogues=$!
# A signal ends the first wait; the script then cleans up after itself and is waited for.
wait "$dialogues"
status=$?
while kill -0 "$dialogues" 2>/dev/null; do
    wait "$dialogues"
    status=$?
done
exit "$status"
