#!/usr/bin/env bash
# Measures the window: /nodes?limit=100, /health and /overview of health-dashboard with 5,000 terminals, by wrk, beside the
# least Hummingbird can do in the same run (Reference/Hello). Benchmarks/window.sh [rounds, default 5].
# MESH_PRODUCTS names the folder with health-dashboard and hello-reference (default .build/release).
# Exit code: 0 measured, 1 something could not be measured.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v wrk >/dev/null || {
    echo "window.sh: wrk is missing (apt-get install wrk)" >&2
    exit 1
}
exec /usr/bin/python3 -I -B -c '
import runpy, sys
folder = sys.argv.pop(1)
sys.path[:0] = [folder, folder + "/../Tests/Window", folder + "/../Tests/Outside"]
sys.argv[0] = "window_measure.py"
runpy.run_path(folder + "/window_measure.py", run_name="__main__")' "$here" "$@"
