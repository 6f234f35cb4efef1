# Sourced by what runs a story in Python: one place for tools that are missing, and for signals.
python=/usr/bin/python3
story=

# skip TITLE REASON: nothing was run, which is no failure.
skip() {
    echo "skipped $1: $2"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# need_tools TITLE: what every story that speaks to a mesh needs.
need_tools() {
    "$python" -c 'import zmq' 2>/dev/null || skip "$1" "$python has no zmq (apt-get install python3-zmq)"
    command -v redis-cli >/dev/null || skip "$1" "redis-cli is missing (apt-get install redis-tools)"
}

# drive SCRIPT FOLDERS ARGUMENTS...: runs it with these folders (a colon between them) to import from, ends with its status.
drive() {
    trap '[ -n "$story" ] && kill -TERM "$story" 2>/dev/null' INT TERM HUP
    "$python" -I -B -c '
import os, runpy, sys
script, folders = sys.argv.pop(1), sys.argv.pop(1)
sys.path[:0] = folders.split(":")
sys.argv[0] = os.path.basename(script)
runpy.run_path(script, run_name="__main__")' "$@" &
    story=$!
    # A signal ends the first wait; the story then cleans up after itself and is waited for.
    wait "$story"
    local status=$?
    while kill -0 "$story" 2>/dev/null; do
        wait "$story"
        status=$?
    done
    exit "$status"
}
