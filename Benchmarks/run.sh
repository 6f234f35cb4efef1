#!/usr/bin/env bash
# Measures the mesh against small C programs in one run; see README.md beside this script.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: Benchmarks/run.sh [relay] [confirm] [citadel] [fire] [start] [load]      (default: all)

  relay   messages/s through handshake-processor against a C forwarder that reads nothing
  confirm confirmations/s durable and applied against hiredis pipelining one EVALSHA each; round trip beside one fdatasync
  citadel protection queries under 5,000 ticks/s against a bare REQ/REP echo; memory for each symbol
  fire    fire request to the command at the EA's socket against REQ/REP + EVALSHA alone
  start   time until all seven are ready, and their idle memory
  load    41,000 ticks/s from 200 terminals through the whole mesh: share lost

RELAY_ROUNDS (24), PINNED_ROUNDS (8), CONFIRM_ROUNDS (9), CITADEL_ROUNDS (7), FIRE_ROUNDS (7) and START_ROUNDS (3) set how often each is repeated.
Exit code: 0 all targets met, 1 something could not be measured, 3 a target missed or the verdict unclear, 64 bad usage.
TEXT
}

parts=()
for word in "$@"; do
    case $word in
        relay | confirm | citadel | fire | start | load) parts+=("$word") ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 64 ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(relay confirm citadel fire start load)
wanted() { [[ " ${parts[*]} " == *" $1 "* ]]; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
cd "$root"
# The mesh of this run is a private one: nothing in the caller's environment may point it elsewhere.
unset REDIS_URL "${!MESH_@}"

relay_rounds=${RELAY_ROUNDS:-24}
pinned_rounds=${PINNED_ROUNDS:-8}
confirm_rounds=${CONFIRM_ROUNDS:-9}
citadel_rounds=${CITADEL_ROUNDS:-7}
fire_rounds=${FIRE_ROUNDS:-7}
start_rounds=${START_ROUNDS:-3}
work=$(mktemp -d "${TMPDIR:-/tmp}/mesh-bench.XXXXXX")
results=$work/results.txt
products=$root/.build/release
meshctl=$products/meshctl
children=()
mesh_running=no

say() { printf '%s\n' "$*" >&2; }
die() {
    say "run.sh: $*"
    exit 1
}

start_mesh() {
    mesh_running=yes
    timeout 60 "$meshctl" start --config "$work/mesh.yaml" </dev/null
}

stop_mesh() {
    [ $mesh_running = yes ] || return 0
    timeout 30 "$meshctl" stop --config "$work/mesh.yaml" </dev/null >>"$work/meshctl.log" 2>&1 ||
        say "run.sh: meshctl stop failed, see $work/meshctl.log"
    mesh_running=no
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    stop_mesh
    local pid
    for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    if [ $code -eq 0 ] || [ $code -eq 3 ]; then rm -rf "$work"; else say "kept for a look: $work"; fi
    exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- What is measured, and what measures -------------------------------------------------------------------------

for product in handshake-processor confirmation-logger citadel-monitor meshctl; do
    if [ ! -x "$products/$product" ]; then
        say "no release build yet: swift build -c release"
        swift build -c release >&2
        break
    fi
done

for program in relay_forwarder relay_measure fire_measure roundtrip_reference confirm_measure confirm_reference \
    citadel_measure; do
    "${CC:-gcc}" -O2 -Wall -Wextra -Werror -o "$work/$program" \
        Benchmarks/Reference/$program.c Benchmarks/Reference/{bench,ea}.c -lzmq -lhiredis -lpthread -lm
done

/usr/bin/python3 Benchmarks/support.py ports ports.yaml "$work/ports.yaml" "$work/ports.list"
mkdir -p "$work/var" "$work/logs"
printf 'var: %s\nlogs: %s\nports: %s\nlisten: 127.0.0.1\n' \
    "$work/var" "$work/logs" "$work/ports.yaml" >"$work/mesh.yaml"
export MESH_VAR=$work/var

port() { awk -v name="$1" '$1 == name { print $2 }' "$work/ports.list"; }
endpoint() { echo "tcp://127.0.0.1:$(port "$1")"; }

# record PART SIDE ROUND COMMAND...: one line of results, bounded in time.
record() {
    local part=$1 side=$2 round=$3 line
    shift 3
    line=$(timeout 150 "$@") || die "$part ($side) could not be measured"
    say "  $part $side $round: $line"
    echo "$part $side $round $line" >>"$results"
}

# --- Relay: handshake-processor alone with a Redis, as the forwarder is alone ---------------------------------------

# relay_rounds_of PART COUNT PREFIX...: ours, the reference, and a second copy of the reference, in turn. The copy shows
# how far two equal programs come apart here and now: the noise below which no ratio means anything.
relay_rounds_of() {
    local part=$1 count=$2 round side offset
    shift 2
    local sides=(ours reference control)
    for ((round = 1; round <= count; round++)); do
        # The one that goes first changes, so that a drift of the machine favours none.
        for offset in 0 1 2; do
            side=${sides[(round + offset) % 3]}
            kill -0 "$relay_ours" 2>/dev/null ||
                die "handshake-processor ended: $(tail -n 3 "$work/logs/relay-ours.log")"
            record "$part" "$side" "$round" "$@" "$work/relay_measure" "${relay_in[$side]}" "${relay_out[$side]}" \
                --seconds 0.5 --warm-up 0.2
        done
    done
}

measure_relay() {
    say "relay: $relay_rounds rounds as the scheduler likes, $pinned_rounds with a core for each side"
    declare -gA relay_in=(
        [ours]=$(endpoint ea-telemetry) [reference]=$(endpoint reference-in) [control]=$(endpoint control-in))
    declare -gA relay_out=(
        [ours]=$(endpoint market-relay) [reference]=$(endpoint reference-out) [control]=$(endpoint control-out))
    mkdir -p "$work/relay-redis" "$work/relay-var"
    redis-server --port "$(port state)" --bind 127.0.0.1 --dir "$work/relay-redis" --save '' \
        --appendonly yes --appendfsync always --maxmemory-policy noeviction >"$work/logs/relay-redis.log" 2>&1 &
    local redis=$!
    children+=("$redis")
    timeout 10 bash -c "until redis-cli -p $(port state) ping 2>/dev/null | grep -q PONG; do sleep 0.05; done" ||
        die "redis-server did not start, see $work/logs/relay-redis.log"
    MESH_VAR=$work/relay-var "$products/handshake-processor" --config "$work/mesh.yaml" \
        --redis "redis://127.0.0.1:$(port state)" </dev/null >"$work/logs/relay-ours.log" 2>&1 &
    relay_ours=$!
    "$work/relay_forwarder" "${relay_in[reference]}" "${relay_out[reference]}" </dev/null &
    local reference=$!
    "$work/relay_forwarder" "${relay_in[control]}" "${relay_out[control]}" </dev/null &
    local control=$!
    children+=("$relay_ours" "$reference" "$control")

    relay_rounds_of relay "$relay_rounds"

    local cores pid
    read -r -a cores < <(/usr/bin/python3 Benchmarks/support.py cores)
    if [ ${#cores[@]} -ge 2 ]; then
        for pid in "$relay_ours" "$reference" "$control"; do taskset -acp "${cores[0]}" "$pid" >/dev/null; done
        relay_rounds_of pinned "$pinned_rounds" taskset -c "${cores[1]}"
    else
        say "  one core only: the pinned rounds are skipped"
    fi
    kill "$relay_ours" "$reference" "$control"
    wait "$relay_ours" "$reference" "$control" || true
    kill "$redis"
    wait "$redis" || true
    children=()
}

# --- Confirmations: confirmation-logger alone with a Redis, as the reference is alone with the same one -----------------

measure_confirm() {
    say "confirm: $confirm_rounds rounds"
    mkdir -p "$work/confirm-redis" "$work/confirm-var"
    deploy/scripts/redis_server.sh deploy/config/redis.conf --port "$(port state)" --dir "$work/confirm-redis" \
        --bind 127.0.0.1 >"$work/logs/confirm-redis.log" 2>&1 &
    local redis=$!
    children+=("$redis")
    timeout 10 bash -c "until redis-cli -p $(port state) ping 2>/dev/null | grep -q PONG; do sleep 0.05; done" ||
        die "redis-server did not start, see $work/logs/confirm-redis.log"
    MESH_VAR=$work/confirm-var "$products/confirmation-logger" --config "$work/mesh.yaml" \
        --redis "redis://127.0.0.1:$(port state)" </dev/null >"$work/logs/confirm-ours.log" 2>&1 &
    local ours=$! round
    children+=("$ours")
    timeout 15 bash -c "until [ -e '$work/confirm-var/run/confirmation-logger.ready' ]; do sleep 0.05; done" ||
        die "confirmation-logger did not start: $(tail -n 3 "$work/logs/confirm-ours.log")"
    for ((round = 1; round <= confirm_rounds; round++)); do
        # The one that goes first changes, so that a drift of the machine favours none.
        for side in $([ $((round % 2)) = 1 ] && echo ours reference || echo reference ours); do
            if [ "$side" = ours ]; then
                record confirm ours "$round" "$work/confirm_measure" "$(endpoint ea-confirmations)" "$(port state)" \
                    --count 20000 --round "$round"
            else
                record confirm reference "$round" "$work/confirm_reference" "$(port state)" --count 20000 --round "$round"
            fi
        done
    done
    for round in 101 102 103; do
        record receipt ours "$round" env -C "$work" "$work/confirm_measure" "$(endpoint ea-receipts)" - \
            --trips 5000 --rate 1000 --round "$round"
    done
    kill "$ours"
    wait "$ours" || true
    kill "$redis"
    wait "$redis" || true
    children=()
}

# --- Protection queries: citadel-monitor alone with a Redis, the measuring program in the place of the relay -----------

# start_citadel REDIS_DIR VAR: a fresh one each time, so that every round begins with the same history.
start_citadel() {
    mkdir -p "$1" "$2"
    deploy/scripts/redis_server.sh deploy/config/redis.conf --port "$(port state)" --dir "$1" \
        --bind 127.0.0.1 >"$work/logs/citadel-redis.log" 2>&1 &
    citadel_redis=$!
    children+=("$citadel_redis")
    timeout 10 bash -c "until redis-cli -p $(port state) ping 2>/dev/null | grep -q PONG; do sleep 0.05; done" ||
        die "redis-server did not start, see $work/logs/citadel-redis.log"
    MESH_VAR=$2 "$products/citadel-monitor" --config "$work/mesh.yaml" \
        --redis "redis://127.0.0.1:$(port state)" </dev/null >"$work/logs/citadel-ours.log" 2>&1 &
    citadel_ours=$!
    children+=("$citadel_ours")
    timeout 15 bash -c "until [ -e '$2/run/citadel-monitor.ready' ]; do sleep 0.05; done" ||
        die "citadel-monitor did not start: $(tail -n 3 "$work/logs/citadel-ours.log")"
}

stop_citadel() {
    kill "$citadel_ours"
    wait "$citadel_ours" || true
    kill "$citadel_redis"
    wait "$citadel_redis" || true
    children=()
}

measure_citadel() {
    say "citadel: $citadel_rounds rounds of 5,000 queries under 5,000 ticks/s"
    local round
    start_citadel "$work/citadel-redis" "$work/citadel-var"
    for ((round = 1; round <= citadel_rounds; round++)); do
        record citadel ours "$round" "$work/citadel_measure" "$(endpoint citadel-queries)" \
            "$(endpoint market-relay)" "$(endpoint reference-in)" --count 5000 --rate 5000
    done
    stop_citadel
    start_citadel "$work/citadel-memory-redis" "$work/citadel-memory-var"
    record citadel-memory ours 1 "$work/citadel_measure" - "$(endpoint market-relay)" - --pid "$citadel_ours" \
        --symbols 200 --bars 1500
    stop_citadel
}

# --- The whole mesh -----------------------------------------------------------------------------------------------

start_measured() {
    local round=$1 from to
    from=$(date +%s%N)
    start_mesh >"$work/start.$round" 2>&1 || die "meshctl start failed: $(tail -n 5 "$work/start.$round")"
    to=$(date +%s%N)
    echo "start ours $round total_ms=$(((to - from) / 1000000)) $(
        /usr/bin/python3 Benchmarks/support.py ready "$work/start.$round"
    )" >>"$results"
}

measure_start() {
    say "start: $start_rounds times"
    local round
    for ((round = 1; round <= start_rounds; round++)); do
        stop_mesh
        start_measured "$round"
    done
    cat "$work/start.$start_rounds" >&2
    sleep 3 # idle memory, not the memory of starting
    timeout 30 "$meshctl" status --json --config "$work/mesh.yaml" >"$work/status.json" 2>/dev/null || true
    /usr/bin/python3 Benchmarks/support.py memory "$work/status.json" "$work/var" >>"$results"
}

measure_fire() {
    say "fire: $fire_rounds rounds"
    local round
    for ((round = 1; round <= fire_rounds; round++)); do
        record fire ours $round "$work/fire_measure" "$(endpoint ea-commands)" "$(endpoint ea-telemetry)" \
            "$(endpoint ea-confirmations)" "$(endpoint orders)" --count 200 --seconds 60
        record fire reference $round "$work/roundtrip_reference" "$(endpoint reference-in)" "$(port state)" \
            --count 2000
    done
}

measure_load() {
    say "load: 41,000 ticks/s for 5 s"
    record load ours 1 "$work/relay_measure" "$(endpoint ea-telemetry)" "$(endpoint market-relay)" \
        --rate 41000 --terminals 200 --senders 4 --seconds 5
}

: >"$results"
if wanted relay; then measure_relay; fi
if wanted confirm; then measure_confirm; fi
if wanted citadel; then measure_citadel; fi
if wanted start; then measure_start; fi
if wanted fire || wanted load; then
    [ $mesh_running = yes ] || start_mesh >"$work/start.log" 2>&1 || die "meshctl start: $(tail -n 5 "$work/start.log")"
fi
if wanted fire; then measure_fire; fi
if wanted load; then measure_load; fi

/usr/bin/python3 Benchmarks/support.py report "$results"
