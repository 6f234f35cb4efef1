#!/usr/bin/env bash
# Brings what the window's tests use and the mesh does not, into one folder (first argument; default .build/window-tools):
# schemathesis and axe-core's published file from PyPI (the package axe-playwright-python carries it), Prometheus and
# promtool out of Debian's package, which is unpacked there and not installed: no service of it is ever started.
# Asks for no rights. What is there already is left alone. What can't be had is named, and its checks are skipped then.
# Exit codes: 0 everything is there, 1 something is not.
set -uo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
target=${1:-${WINDOW_TOOLS:-$root/.build/window-tools}}
missing=0

# lacking TOOL REASON
lacking() {
    echo "$1: not there: $2"
    missing=1
}

python_packages() {
    [ -x "$target/bin/schemathesis" ] && return 0
    /usr/bin/python3 -m venv "$target" &&
        timeout 300 "$target/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
            "schemathesis==4.32.5" "axe-playwright-python==0.1.8"
}

prometheus() {
    command -v promtool >/dev/null && command -v prometheus >/dev/null && return 0
    [ -x "$target/debian/usr/bin/promtool" ] && return 0
    mkdir -p "$target/debian" && cd "$target/debian" &&
        timeout 120 apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb . && rm -f prometheus_*.deb
}

mkdir -p "$target" || exit 1
if problem=$(python_packages 2>&1); then
    echo "schemathesis: $("$target/bin/schemathesis" --version)"
    axe=$(find "$target" -name axe.min.js -print -quit)
    if [ -n "$axe" ]; then echo "axe-core: $axe"; else lacking axe-core "the package from PyPI did not hold its file"; fi
else
    lacking "schemathesis and axe-core" "$(tail -n 1 <<<"$problem")"
fi
if problem=$( (prometheus) 2>&1); then
    echo "prometheus: $(PATH="$PATH:$target/debian/usr/bin" command -v promtool)"
else
    lacking prometheus "$(tail -n 1 <<<"$problem")"
fi
exit "$missing"
