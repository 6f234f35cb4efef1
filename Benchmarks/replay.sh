#!/usr/bin/env bash
# Measures CITADEL's replay beside reading and parsing the same file alone, on one core, and the memory of a symbol.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: Benchmarks/replay.sh [TICKS]

TICKS is a file for `meshctl citadel replay` (default: ../shared/data/eurusd_oanda_2014-05-01_15_ticks.csv.gz). It is
unpacked first, so that nothing but reading, parsing and the engine is timed; everything is held on one core.
REPLAY_ROUNDS (9) sets how often each is done, REPLAY_SYMBOLS (16) how many symbols share the memory figure, MESHCTL the
executable (.build/release/meshctl).
Target: ticks/s of the replay at least 0.5 of reading and parsing alone (median of the rounds).
Exit code: 0 met, 1 it could not be measured, 3 missed, 64 bad usage.
TEXT
}

case ${1:-} in
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && exit 64 ;;
esac
[ $# -le 1 ] || { usage >&2 && exit 64; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ticks=${1:-$root/../shared/data/eurusd_oanda_2014-05-01_15_ticks.csv.gz}
meshctl=${MESHCTL:-$root/.build/release/meshctl}
say() { printf '%s\n' "$*" >&2; }
[ -r "$ticks" ] || { say "replay.sh: $ticks can't be read; name a file of ticks" && exit 1; }
ticks=$(cd "$(dirname "$ticks")" && pwd)/$(basename "$ticks")
cd "$root"
if [ ! -x "$meshctl" ]; then
    say "no release build yet: swift build -c release --product meshctl"
    swift build -c release --product meshctl >&2
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/mesh-replay.XXXXXX")
trap 'rm -rf "$work"' EXIT
name=$(basename "$ticks" .gz)
case $ticks in
    *.gz) gzip -dc "$ticks" >"$work/$name" ;;
    *) cp "$ticks" "$work/$name" ;;
esac

core=$(/usr/bin/python3 Benchmarks/support.py cores | awk '{ print $1 }')
timeout 300 taskset -c "${core:-0}" "$meshctl" citadel measure --ticks "$work/$name" \
    --rounds "${REPLAY_ROUNDS:-9}" --symbols "${REPLAY_SYMBOLS:-16}" >"$work/result.json" 2>"$work/errors" ||
    { say "replay.sh: $(tail -n 1 "$work/errors")" && exit 1; }

/usr/bin/python3 - "$work/result.json" <<'PYTHON'
import json, sys
result = json.load(open(sys.argv[1]))
ratios = sorted(result["ratios"])
met = result["ratio"] >= 0.5
rows = [
    ("ticks in the file", f"{result['ticks']:,}"),
    ("reading and parsing alone", f"{result['parse_ticks_per_second']:,} ticks/s"),
    ("replay: the same through the engine", f"{result['replay_ticks_per_second']:,} ticks/s"),
    ("ratio (target 0.5)", f"{result['ratio']:.2f}, single rounds {ratios[0]:.2f}..{ratios[-1]:.2f}"),
    ("memory per symbol", f"{result['bytes_per_symbol'] / 1024:.0f} KiB ({result['symbols']} symbols, full history)"),
    ("met", "yes" if met else "NO"),
]
for label, value in rows:
    print(f"{label:<38}{value}")
sys.exit(0 if met else 3)
PYTHON
