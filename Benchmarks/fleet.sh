#!/usr/bin/env bash
# A fleet of 5,000 connected terminals in front of the whole mesh, beside a C forwarder in one run; see README.md.
#
#   Benchmarks/fleet.sh            FLEET_ROUNDS (5), FLEET_SECONDS (5), FLEET_TERMINALS (5000), MESH_PRODUCTS (.build/release)
#
# Exit code: 0 all targets met, 1 something could not be measured, 3 a target missed or the verdict unclear.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$(dirname "$here")"
products=$(realpath "${MESH_PRODUCTS:-.build/release}")
# The mesh of this run is a private one: nothing in the caller's environment may point it elsewhere.
unset REDIS_URL "${!MESH_@}"
rounds=${FLEET_ROUNDS:-5}
seconds=${FLEET_SECONDS:-5}
terminals=${FLEET_TERMINALS:-5000}
work=$(mktemp -d "${TMPDIR:-/tmp}/mesh-fleet.XXXXXX")
results=$work/results.txt
forwarder=
mesh_running=no
: >"$results"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "fleet.sh: $*"
    exit 1
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    [ $mesh_running = no ] || timeout 30 "$products/meshctl" stop --config "$work/mesh.yaml" </dev/null >/dev/null 2>&1 ||
        say "fleet.sh: meshctl stop failed"
    [ -z "$forwarder" ] || kill "$forwarder" 2>/dev/null || true
    wait
    if [ $code -eq 0 ] || [ $code -eq 3 ]; then rm -rf "$work"; else say "kept for a look: $work"; fi
    exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ulimit -n "$(ulimit -Hn)"
[ "$(ulimit -n)" -ge $((terminals + 200)) ] || die "$((terminals + 200)) open files are needed, $(ulimit -Hn) allowed"
"${CC:-gcc}" -O2 -Wall -Wextra -Werror -o "$work/relay_forwarder" \
    Benchmarks/Reference/relay_forwarder.c Benchmarks/Reference/{bench,ea}.c -lzmq -lpthread -lm
"${CC:-gcc}" -O2 -Wall -Wextra -Werror -o "$work/fleet_measure" \
    Benchmarks/Reference/fleet_measure.c Benchmarks/Reference/{zmtp,bench,ea}.c -lzmq -lpthread -lm

/usr/bin/python3 Benchmarks/support.py ports ports.yaml "$work/ports.yaml" "$work/ports.list"
mkdir -p "$work/var" "$work/logs"
printf 'var: %s\nlogs: %s\nports: %s\nlisten: 127.0.0.1\n' \
    "$work/var" "$work/logs" "$work/ports.yaml" >"$work/mesh.yaml"
endpoint() { echo "tcp://127.0.0.1:$(awk -v name="$1" '$1 == name { print $2 }' "$work/ports.list")"; }
redis() { redis-cli -p "$(awk '$1 == "state" { print $2 }' "$work/ports.list")" --raw "$@"; }

# measure PART SIDE ROUND OPTIONS...: one line of results, bounded in time.
measure() {
    local part=$1 side=$2 round=$3 from=ea-telemetry to=market-relay line
    shift 3
    [ "$side" != reference ] || { from=reference-in to=reference-out; }
    line=$(timeout 150 "$work/fleet_measure" "$(endpoint $from)" "$(endpoint $to)" --terminals "$terminals" "$@") ||
        die "$part ($side) could not be measured"
    say "  $part $side $round: $line"
    echo "$part $side $round $line" >>"$results"
}

# What handshake-processor has counted so far, one line of the rounds' file; it reports once a second.
counters() {
    local now frames last=unknown
    for _ in $(seq 20); do
        now=$(redis hget service:handshake-processor counters)
        frames=$(grep -o '"frames":[0-9]*' <<<"$now" || true)
        if [ -n "$now" ] && [ "$frames" = "$last" ]; then
            echo "$now" >>"$work/shed.jsonl"
            return
        fi
        last=$frames
        sleep 1.2
    done
    die "handshake-processor does not come to rest"
}

usage() { /usr/bin/python3 Benchmarks/fleet_support.py usage "$work/var" "$1" >>"$results"; }

# A connection that was closed is taken off a second later: nothing of one round is left in the next.
settle() {
    timeout 30 bash -c "until redis-cli -p $(awk '$1 == "state" { print $2 }' "$work/ports.list") --raw \
        hget service:handshake-processor gauges | grep -q '\"connections\":[0-9],'; do sleep 0.2; done" ||
        die "connections are left over"
}

timeout 60 "$products/meshctl" start --config "$work/mesh.yaml" </dev/null >"$work/start.log" 2>&1 ||
    die "meshctl start: $(tail -n 5 "$work/start.log")"
mesh_running=yes
"$work/relay_forwarder" "$(endpoint reference-in)" "$(endpoint reference-out)" </dev/null &
forwarder=$!

say "fleet: $terminals terminals, 41,000 ticks/s in all, $rounds rounds of $seconds s"
usage before
for ((round = 1; round <= rounds; round++)); do
    # The one that goes first changes, so that a drift of the machine favours none.
    for side in $([ $((round % 2)) = 1 ] && echo ours reference flooded || echo flooded reference ours); do
        flood=()
        [ "$side" != flooded ] || flood=(--flood 50000)
        [ "$side" != ours ] || counters
        measure fleet "$side" "$round" --seconds "$seconds" --warm-up 1 "${flood[@]}"
        [ "$side" = reference ] || settle
        [ "$side" != ours ] || counters
        [ "$round" != 1 ] || [ "$side" != ours ] || usage one
    done
done
usage after
say "fleet: $terminals terminals, each with 1,000 queued ticks, return at once"
measure backlog ours 1 --backlog 1000
usage backlog
/usr/bin/python3 Benchmarks/fleet_support.py report "$results" "$work/shed.jsonl" "$terminals"
