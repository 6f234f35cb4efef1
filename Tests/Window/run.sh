#!/usr/bin/env bash
# The window as people and probes see it: headless Chromium, axe-core, schemathesis and Prometheus against private meshes.
# Tests/Window/run.sh [chapter…]   chapters: page crowd access api doctor (default: all)
# MESH_PRODUCTS names the folder of the executables (default .build/release); WINDOW_OUTPUT where pictures and reports go
# (default .build/window); WINDOW_TOOLS the folder of the test tools, see tools.sh (default .build/window-tools).
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=Tests/Outside/driver.sh
. "$directory/../Outside/driver.sh"
command -v chromium >/dev/null || skip "the window" "chromium is missing (apt-get install chromium)"
command -v redis-server >/dev/null || skip "the window" "redis-server is missing (apt-get install redis-server)"
drive "$directory/window.py" "$directory:$directory/../Outside" "$@"
