#!/usr/bin/env bash
# Installs the system packages that are missing, from Debian's or Ubuntu's own archive, and checks for Swift.
# Does nothing, and asks for no rights, where everything is there.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: deploy/scripts/prerequisites.sh [--test]

  --test   also what only the tests need
  --help   this text

Exit codes: 0 everything is there, 64 bad usage, 69 something is missing and could not be installed.
TEXT
}

packages=(libzmq3-dev libhiredis-dev zlib1g-dev redis-server runit curl)
case ${1-} in
    '') ;;
    --test) packages+=(python3-zmq python3-venv chromium) ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
esac

if ! command -v swift >/dev/null; then
    echo "prerequisites: no Swift toolchain on PATH: install Swift 6.1 or newer from https://www.swift.org/install/linux" >&2
    exit 69
fi

# A program that came from elsewhere (Redis' own archive, a build by hand) serves as well as the package.
is_installed() {
    case $1 in
        redis-server | curl | chromium) command -v "$1" >/dev/null && return 0 ;;
        runit) command -v runsvdir >/dev/null && command -v svlogd >/dev/null && return 0 ;;
    esac
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "prerequisites: missing: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    echo "prerequisites: this system has no apt-get: install what these Debian packages hold: ${missing[*]}" >&2
    exit 69
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        {
            echo "prerequisites: installing needs root. Run this, then start again:"
            echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        } >&2
        exit 69
    fi
    as_root=(sudo -n)
fi

# Another apt may be at work on a fresh machine: wait for its lock a while instead of failing.
apt() {
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# Exactly the command an operator would type, so that a failure can be repeated by hand.
apt update || echo "prerequisites: the package lists could not be refreshed; trying with those at hand" >&2
if ! apt install -y --no-install-recommends "${missing[@]}"; then
    {
        echo "prerequisites: the installation failed. The command was:"
        echo "  ${as_root[*]+${as_root[*]} }apt-get update && ${as_root[*]+${as_root[*]} }apt-get install -y --no-install-recommends ${missing[*]}"
    } >&2
    exit 69
fi
