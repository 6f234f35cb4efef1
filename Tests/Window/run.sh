#!/usr/bin/env bash
# The window as people and probes see it: headless Chromium, axe-core, schemathesis and Prometheus against private meshes.
# Tests/Window/run.sh [chapter…]   chapters: page crowd access api faults (default: all)
# MESH_PRODUCTS names the folder of the executables (default .build/release); WINDOW_OUTPUT where pictures and reports go
# (default .build/window); WINDOW_TOOLS the folder of the test tools, see tools.sh (default .build/window-tools).
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
python=/usr/bin/python3

skip() {
    echo "skipped the window: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

command -v chromium >/dev/null || skip "chromium is missing (apt-get install chromium)"
command -v redis-server >/dev/null || skip "redis-server is missing (apt-get install redis-server)"

story=
trap '[ -n "$story" ] && kill -TERM "$story" 2>/dev/null' INT TERM HUP
"$python" -I -B -c '
import runpy, sys
folder = sys.argv.pop(1)
sys.path[:0] = [folder, folder + "/../Outside"]
sys.argv[0] = "window.py"
runpy.run_path(folder + "/window.py", run_name="__main__")' "$directory" "$@" &
story=$!
# A signal ends the first wait; the script then cleans up after itself and is waited for.
wait "$story"
status=$?
while kill -0 "$story" 2>/dev/null; do
    wait "$story"
    status=$?
done
exit "$status"
