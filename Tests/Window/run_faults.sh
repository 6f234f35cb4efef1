#!/usr/bin/env bash
# The fault drill: whatever breaks, the dashboard's page, /health and one alert name the cause, in a table at the end.
# Tests/Window/run_faults.sh [--full] [--seed S] [--keep], or `people`: what people do with alerts, and how they hear of
# them, by a webhook. MESH_PRODUCTS names the folder of the executables (default
# .build/release), WINDOW_OUTPUT where the table goes (default .build/window).
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=Tests/Outside/driver.sh
. "$directory/../Outside/driver.sh"
script=faults.py
[ "${1:-}" = people ] && script=faults_people.py && shift
if [ "$script" = faults.py ]; then
    command -v chromium >/dev/null || skip "the fault drill" "chromium is missing (apt-get install chromium)"
fi
command -v redis-server >/dev/null || skip "the fault drill" "redis-server is missing (apt-get install redis-server)"
need_tools "the fault drill"
ulimit -n "$(ulimit -Hn)"
# The fleet's crowd is the one that connects; this folder's is rows in Redis.
chaos=$directory/../Chaos
drive "$directory/$script" "$chaos/fleet:$chaos:$directory/../Outside:$directory" "$@"
