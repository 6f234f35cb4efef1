#!/usr/bin/env bash
# The story of the mesh from outside, against a private mesh on free ports. MESH_PRODUCTS names the folder of the
# executables (default .build/release); KEEP_STATE=1 keeps logs and state of a story that failed.
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python=/usr/bin/python3

skip() {
    echo "skipped the story from outside: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

"$python" -c 'import zmq' 2>/dev/null || skip "$python has no zmq (apt-get install python3-zmq)"
command -v redis-cli >/dev/null || skip "redis-cli is missing (apt-get install redis-tools)"

story=
trap '[ -n "$story" ] && kill -TERM "$story" 2>/dev/null' INT TERM HUP
"$python" -I -B -c '
import runpy, sys
sys.path.insert(0, sys.argv[1])
runpy.run_path(sys.argv[1] + "/story.py", run_name="__main__")' "$directory" &
story=$!
# A signal ends the first wait; the story then cleans up after itself and is waited for.
wait "$story"
status=$?
while kill -0 "$story" 2>/dev/null; do
    wait "$story"
    status=$?
done
exit "$status"
