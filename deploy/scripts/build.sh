# shellcheck shell=bash
# Functions about the release build, sourced by the three scripts at the top. The caller sets `root`, the checkout.

products=(handshake-processor confirmation-logger node-registry position-tracker heartbeat-monitor citadel-monitor
    health-dashboard meshctl ea-simulator)
release=${root:?}/.build/release
# Touched when a build begins that ends well: what was edited while it ran counts as newer.
build_stamp=$release/.sources-built

# swift wants a home directory for its caches; cron and `env -i` give none.
ensure_home() {
    if [ -z "${HOME-}" ]; then
        HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
        export HOME
    fi
}

is_built() {
    local product
    for product in "${products[@]}"; do
        [ -x "$release/$product" ] || return 1
    done
}

# Whether sources (or the manifest) changed since the build.
is_stale() {
    is_built || return 0
    local reference=$release/meshctl
    # A build by hand leaves no stamp, but links newer programs.
    [ "$build_stamp" -nt "$reference" ] && reference=$build_stamp
    [ -n "$(find "$root/Package.swift" "$root/Sources" -newer "$reference" -print -quit)" ]
}

# Process ids of services and simulators that run from this release build, whatever mesh they belong to. An operator's
# meshctl doesn't count: nothing restarts it.
running_from_build() {
    local directory link target
    directory=$(readlink -f "$release") || return 0
    for link in /proc/[0-9]*/exe; do
        target=$(readlink "$link" 2>/dev/null) || continue
        if [[ $target == "$directory"/* && $target != "$directory"/meshctl* ]]; then
            link=${link#/proc/}
            echo "${link%/exe}"
        fi
    done
}

build_release() {
    local begun
    begun=$(mktemp)
    if is_built; then
        echo "building in release mode: what changed since the last build"
    else
        echo "building in release mode; the first time takes six to ten minutes on two cores"
    fi
    if ! swift build --package-path "$root" -c release; then
        rm -f "$begun"
        return 1
    fi
    touch -r "$begun" "$build_stamp"
    rm -f "$begun"
}
