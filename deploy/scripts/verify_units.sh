#!/usr/bin/env bash
# Checks deploy/systemd with systemd's own verifier, the paths turned to this checkout. Needs the release build.
# Exit codes: 0 good, 1 a unit is wrong, 77 no systemd-analyze here.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# Where the products are; test_all_services.sh passes the directory it built.
products=${1:-$root/.build/release}

command -v systemd-analyze >/dev/null || {
    echo "verify_units: no systemd-analyze here"
    exit 77
}

units=$(mktemp -d)
trap 'rm -rf "$units"' EXIT
cp -r "$root"/deploy/systemd/. "$units"
find "$units" -type f -exec sed -i \
    -e "s#/opt/terminal-mesh/.build/release#$products#g" -e "s#/opt/terminal-mesh#$root#g" {} +

# The trailing colon adds systemd's own units, which ours refer to. The verifier reads, it starts nothing. What it
# says about units of the system (a machine without some of them) is not our affair.
found=$(SYSTEMD_UNIT_PATH="$units:" systemd-analyze verify --man=no "$units"/mesh.target "$units"/mesh-*.service 2>&1) &&
    status=0 || status=$?
ours=$(grep -E 'mesh' <<<"$found" || true)
if [ -n "$ours" ]; then
    echo "$ours"
    exit 1
fi
if [ "$status" -ne 0 ]; then
    echo "$found"
    exit 1
fi
# Whatever kills the logger must leave the process that holds its connections.
if [ "$(sed -n 's/^KillMode=//p' "$units/mesh-confirmation-logger.service.d/holder.conf")" != process ]; then
    echo "mesh-confirmation-logger.service.d/holder.conf: KillMode is not process: systemd would end the held connections with the logger"
    exit 1
fi
echo "verify_units: $(find "$units" -name 'mesh*.*' -type f | wc -l) units are good"
