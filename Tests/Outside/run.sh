#!/usr/bin/env bash
# The story of the mesh from outside, against a private mesh on free ports. MESH_PRODUCTS names the folder of the
# executables (default .build/release); KEEP_STATE=1 keeps logs and state of a story that failed.
# Exit codes: 0 every check passed, 1 one failed. The last line is 'N passed, N failed, N skipped'.
set -uo pipefail

directory=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=Tests/Outside/driver.sh
. "$directory/driver.sh"
need_tools "the story from outside"
drive "$directory/story.py" "$directory"
