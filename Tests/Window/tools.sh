#!/usr/bin/env bash
# Installs what the window's tests use and the mesh does not: schemathesis, and axe-core's published file, which the PyPI
# package axe-playwright-python carries. Both go into one folder (first argument; default .build/window-tools).
# Prometheus and promtool come from Debian: apt-get install --no-install-recommends prometheus.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
target=${1:-$root/.build/window-tools}
[ -x "$target/bin/schemathesis" ] || {
    python3 -m venv "$target"
    "$target/bin/pip" install --quiet "schemathesis==4.32.5" "axe-playwright-python==0.1.8"
}
axe=$(find "$target" -name axe.min.js -print -quit)
echo "schemathesis: $("$target/bin/schemathesis" --version)"
echo "axe-core: ${axe:-not found}"
