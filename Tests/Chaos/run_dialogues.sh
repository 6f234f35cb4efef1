#!/usr/bin/env bash
# The written dialogues (line 9 of the table of faults), against a private mesh: Tests/Chaos/run_dialogues.sh [NAME …].
# MESH_PRODUCTS names the folder of the executables (default .build/release); KEEP_STATE=1 keeps a failed mesh's state.
# Exit codes: 0 every dialogue passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=Tests/Outside/driver.sh
. "$directory/../Outside/driver.sh"
need_tools "the dialogues"
drive "$directory/dialogues.py" "$directory:$directory/../Outside" "$@"
