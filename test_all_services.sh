#!/usr/bin/env bash
# Installs what is missing and runs every test of the project; see usage.
# shellcheck disable=SC2317 # most functions are called through `step`
set -uo pipefail

usage() {
    cat <<'TEXT'
usage: ./test_all_services.sh [--live [options] | --chaos | --help]

Without an option: format and shell checks, the debug build with warnings as errors and the import check, the release
build, all tests, the story driven by a client that shares no code with this project, and a small dose of the fault
tests. Tests use ports, state and Redis of their own; a running mesh is neither asked nor touched. The last line is
'N passed, N failed, N skipped', where a step that fails counts as one failure.

  --live   checks the running mesh instead, six lines and n of 6; further options go to `meshctl live`
  --chaos  runs the full fault tests instead (an hour or more) and prints their tables
  --help   this text

Exit codes: 0 everything passed, 1 something failed, 64 bad usage, 69 a package is missing.
TEXT
}

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=deploy/scripts/build.sh
. "$root/deploy/scripts/build.sh"

mode=all
case ${1-} in
    '') ;;
    --help | -h) usage && exit 0 ;;
    --live)
        shift
        if [ ! -x "$release/meshctl" ]; then
            echo "test_all_services.sh: nothing runs from here: start the mesh with ./start_all_services.sh first" >&2
            exit 1
        fi
        exec "$release/meshctl" live "$@"
        ;;
    --chaos) mode=chaos ;;
    *) echo "test_all_services.sh: unknown option '$1' (see --help)" >&2 && exit 64 ;;
esac
[ $# -le 1 ] || { echo "test_all_services.sh: too many arguments (see --help)" >&2 && exit 64; }

cd "$root" || exit 1
ensure_home
# What a shell carries for a running mesh must not reach the tests.
while IFS='=' read -r name _; do
    case $name in MESH_* | REDIS_URL) unset "$name" ;; esac
done < <(env)

work=$(mktemp -d)
: >"$work/lines"
child=
trap 'rm -rf "$work"' EXIT
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null; exit 130' INT TERM

passed=0
failed=0
skipped=0
began=$SECONDS
process_suites='^(ZeroMQ|Redis|ServiceKit|Supervision|Journal|HeartbeatMonitor|HealthDashboard|MeshCtl|EASimulator|ConfirmationLogger|PositionTracker|System)Tests\.'

# step TITLE COMMAND…: heading, the command's output, its time. Returns the command's exit code.
step() {
    local title=$1 start=$SECONDS status=0
    shift
    printf '\n== %s\n' "$title"
    "$@" || status=$?
    if [ "$status" -eq 0 ]; then
        echo "-- $title: good, $((SECONDS - start)) s"
    else
        echo "-- $title: FAILED (exit code $status), $((SECONDS - start)) s"
    fi
    return "$status"
}

# A step that counts as one failure when it fails.
gate() {
    step "$@" && return 0
    failed=$((failed + 1))
    return 1
}

# recorded FILE SECONDS INDENT COMMAND…: shows the output while it comes and keeps it in FILE. The command doesn't write
# into a pipe: a process that a crashed test left behind would hold that open for ever.
recorded() {
    local file=$1 seconds=$2 indent=$3 status=0
    shift 3
    : >"$file"
    timeout --kill-after=30 "$seconds" "$@" >"$file" 2>&1 </dev/null &
    child=$!
    tail -n +1 -s 0.2 -f --pid="$child" "$file" | sed -u "s/^/$indent/"
    wait "$child" || status=$?
    child=
    [ "$status" -ne 124 ] || echo "stopped: not finished after $seconds s"
    return "$status"
}

add() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# run_tests SECONDS ARGUMENT…: `swift test`, its counts added.
run_tests() {
    local status=0 counts
    recorded "$work/tests" "$1" "" swift test --skip-build "${@:2}" || status=$?
    counts=$(awk -f deploy/scripts/count_tests.awk "$work/tests")
    keep_lines "$work/tests"
    # shellcheck disable=SC2086 # three numbers
    set -- $counts
    # A run that fails without a failing test (a crash after the last one) must not pass unseen.
    [ "$status" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
    add "$@"
    [ "$3" -eq 0 ] || { echo "skipped:" && grep -aE '^[^ ]+ Test .*(skipped|was cancelled after)' "$work/tests"; }
    return "$status"
}

# Lines of the table of faults, whoever printed them.
keep_lines() {
    grep -aoE '(chaos|fleet) line [0-9.]+: .*' "$1" >>"$work/lines"
    return 0
}

lint() {
    local files=()
    while IFS= read -r -d '' file; do
        [ -f "$file" ] && files+=("$file")
    done < <(git ls-files -z --cached --others --exclude-standard -- '*.swift' 2>/dev/null ||
        find Package.swift Sources Tests Benchmarks -name '*.swift' -not -path '*/.build/*' -print0)
    swift format lint --strict --parallel --configuration .swift-format "${files[@]}"
}

debug_build() {
    # Look at the exit code: the log ends in "complete" even when the import check failed.
    swift build --build-tests --explicit-target-dependency-import-check error
}

# The programs of a running mesh stay as they are: beside it, newer sources are built somewhere else.
products_directory=$release
release_build() {
    is_stale || { echo "the release build is up to date" && return 0; }
    if [ -z "$(running_from_build)" ]; then
        build_release
        return
    fi
    echo "a mesh runs from .build/release: building into .build-check instead"
    swift build -c release --scratch-path .build-check || return
    products_directory=$root/.build-check/release
}

units() {
    local status=0
    deploy/scripts/verify_units.sh "$products_directory" || status=$?
    [ "$status" -ne 77 ] || { skipped=$((skipped + 1)) && status=0; }
    return "$status"
}

# driven SECONDS COMMAND…: a program that drives the built services and ends with a summary like ours. Its output is
# shown indented, so that our summary stays the only one alone on its line.
driven() {
    local status=0 line
    MESH_PRODUCTS=$products_directory recorded "$work/driven" "$1" "    " "${@:2}" || status=$?
    keep_lines "$work/driven"
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/driven" | tail -n 1)
    if [ -n "$line" ]; then
        # shellcheck disable=SC2086 # words of the summary
        set -- $line
        add "$1" "$3" "$5"
        [ "$status" -eq 0 ] || [ "$3" -gt 0 ] || failed=$((failed + 1))
    elif [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    return "$status"
}

# What can't be had here, without a network for example, is named and no failure: its checks skip themselves.
window_tools() {
    recorded "$work/tools" 480 "    " Tests/Window/tools.sh ||
        echo "    the checks that need what is not there are skipped, and counted so"
}

# The tables of faults: each of their lines once; one that was not printed is a failure, and of the full dose one that
# was skipped as well.
fault_table() {
    local line missing=0
    for line in "chaos line "{1..10} "fleet line 4."{1..9}; do
        if ! grep -m 1 "^$line: " "$work/lines"; then
            echo "$line: FAILED: it was not run, or printed no counts"
            missing=$((missing + 1))
        elif [ "$mode" = chaos ] && grep -q "^$line: skipped" "$work/lines"; then
            echo "$line: FAILED: the full dose has no line to skip"
            missing=$((missing + 1))
        fi
    done
    # A line of the faults of the mesh without its counts is no pass (Tests/Chaos/counts.py).
    local word
    while IFS= read -r line; do
        for word in sent journaled applied lost double unknown kills catch_up_s memory_mb; do
            [[ $line =~ [:,]\ $word\ (none|[0-9]) ]] || {
                echo "${line%%: *}: FAILED: without its count of $word"
                missing=$((missing + 1))
            }
        done
    done < <(grep -E '^chaos line [0-9]+: pass' "$work/lines" | sort -u)
    failed=$((failed + missing))
    [ "$missing" -eq 0 ]
}

finish() {
    printf '\n%s\n' "all steps: $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
    [ "$skipped" -eq 0 ] || echo "not everything ran: $skipped skipped, see above for the reasons"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

step "packages" deploy/scripts/prerequisites.sh --test || exit 69

if [ "$mode" = chaos ]; then
    if gate "debug build" debug_build && gate "release build" release_build; then
        export MESH_CHAOS=full MESH_PROOF_TERMINALS=3000
        step "fault tests of the engines" run_tests 5400 --no-parallel --filter 'Chaos|WeekendProof|OneCauseProof'
        unset MESH_CHAOS MESH_PROOF_TERMINALS
        step "fault tests of the mesh" driven 14400 Tests/Chaos/run.sh --full
        step "fault tests of the fleet" driven 14400 Tests/Chaos/run_fleet.sh --full
        step "who is who, in full" driven 900 /usr/bin/python3 -I -B Tests/Outside/identity_fence.py --full
        step "the fault drill, in full" driven 900 Tests/Window/run_faults.sh --full
        step "the tables of faults" fault_table
    fi
    finish
fi

gate "format" lint
gate "shell scripts" deploy/scripts/check_shell.sh
debug_good=yes
gate "debug build, warnings as errors, import check" debug_build || debug_good=no
release_good=yes
gate "release build" release_build || release_good=no
if [ "$release_good" = yes ]; then
    gate "systemd units" units
fi
if [ "$debug_good" = yes ]; then
    step "engine tests" run_tests 900 --skip "$process_suites"
    # These fork, bind and measure time: side by side on two cores they would starve and inherit each other.
    step "tests with servers and processes, one after another" run_tests 2400 --no-parallel --filter "$process_suites"
fi
if [ ! -e Tests/Outside/run.sh ] || [ "$release_good" = no ]; then
    printf '\n== the story from outside: not run, its script or the programs to run it against are missing\n'
    skipped=$((skipped + 1))
else
    step "the story from outside" driven 900 Tests/Outside/run.sh
    step "who is who on ea-commands" driven 300 /usr/bin/python3 -I -B Tests/Outside/identity_fence.py
    step "tools for the page's tests" window_tools
    # A sweep is known when its bar of five minutes closes.
    step "the page in a browser" driven 900 Tests/Window/run.sh page
    step "five thousand terminals in a browser" driven 300 Tests/Window/run.sh crowd
    step "accessibility and the interface" driven 500 Tests/Window/run.sh access api
    step "the doctor" driven 300 Tests/Window/run.sh doctor
    step "the fault drill" driven 400 Tests/Window/run_faults.sh
    step "what people do with alerts" driven 300 Tests/Window/run_faults.sh people
    step "fault tests, a small dose" driven 900 Tests/Chaos/run.sh
    step "fault tests of the fleet, a small dose" driven 900 Tests/Chaos/run_fleet.sh
    step "the tables of faults" fault_table
fi
finish
