#!/usr/bin/env bash
# The faults of a day, against private meshes on free ports: Tests/Chaos/run.sh [--full] [--line N] [--seed S] [--keep].
# MESH_PRODUCTS names the folder of the executables (default .build/release).
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=Tests/Outside/driver.sh
. "$directory/../Outside/driver.sh"
need_tools "the faults"
# Thousands of sockets, each with an eventfd of its own.
ulimit -n "$(ulimit -Hn)"
drive "$directory/chaos.py" "$directory:$directory/../Outside" "$@"
