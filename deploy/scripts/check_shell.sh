#!/usr/bin/env bash
# Parses every shell script of the project with the shell it names, and reads it with shellcheck where that is
# installed. Exit codes: 0 good, 1 a script is wrong.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
cd "$root"

scripts=()
while IFS= read -r -d '' file; do
    read -r first <"$file" || true
    case $first in
        '#!'*bash | '# shellcheck shell=bash') shell='bash' ;;
        '#!'*/sh) shell='sh' ;;
        *) continue ;;
    esac
    "$shell" -n "$file"
    scripts+=("$file")
done < <(find . -maxdepth 1 -name '*.sh' -print0
    find .ci deploy Tests Benchmarks -type f -not -name '*.swift' -size -256k -print0 2>/dev/null)

if command -v shellcheck >/dev/null; then
    shellcheck -x "${scripts[@]}"
    echo "check_shell: ${#scripts[@]} scripts parse, shellcheck is content"
else
    echo "check_shell: ${#scripts[@]} scripts parse (shellcheck is not installed)"
fi
