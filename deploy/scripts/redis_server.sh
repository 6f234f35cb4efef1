#!/usr/bin/env bash
# Starts the mesh's own redis-server; before that it takes a transaction that a crash tore out of the append-only file.
#
# Redis 7.0 with `aof-load-truncated yes` cuts a torn file behind the last whole *command*, inside the transaction: its
# beginning stays, and the restart after the next one applies it in half beside what was written since (seen: an event
# twice, the oldest gone; the same in Valkey, pull request 4342). A script's writes are such a transaction. So
# redis.conf says `no`, and what is torn is cut here before its MULTI, as redis-check-aof does, and kept aside.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: deploy/scripts/redis_server.sh CONFIG --dir DIRECTORY [options of redis-server]

Cuts a torn last transaction off the append-only file in DIRECTORY (a copy of what is cut stays beside it), then becomes
redis-server with the same arguments. Damage anywhere else is left alone: redis-server refuses it and says how to go on.
TEXT
}

case ${1-} in
    --help | -h) usage && exit 0 ;;
    '') usage >&2 && exit 64 ;;
esac
directory=
previous=
for argument in "$@"; do
    [ "$previous" != --dir ] || directory=$argument
    previous=$argument
done
[ -n "$directory" ] || { usage >&2 && exit 64; }

say() { echo "redis_server.sh: $*" >&2; }

# The file that was written last; only its end can be torn. The others are not looked at: Redis reads them anyway, and
# everybody waits for it.
manifest=$directory/appendonlydir/appendonly.aof.manifest
last=
[ ! -r "$manifest" ] || last=$(awk '$1 == "file" && $6 == "i" { name = $2 } END { print name }' "$manifest")
file=$directory/appendonlydir/$last

if [ -n "$last" ] && [ -s "$file" ] && ! report=$(redis-check-aof "$file" </dev/null 2>&1); then
    # "AOF analyzed: filename=…, size=1078, ok_up_to=963, …, diff=115": what is good ends before the torn MULTI.
    good=$(sed -n "s/^AOF analyzed: .*, size=[0-9]*, ok_up_to=\([0-9]*\),.*/\1/p" <<<"$report" | tail -n 1)
    # Behind a torn transaction nothing was written: a whole one further on means damage, which is nobody's to cut.
    if [ -n "$good" ] &&
        ! tail -c +"$((good + 1))" "$file" | tr '\0\r\n' ' \1\2' | grep -aqF $'\2EXEC\1\2'; then
        torn=$file.torn.$(date -u +%Y%m%dT%H%M%S).$$
        tail -c +"$((good + 1))" "$file" >"$torn"
        truncate --size="$good" "$file"
        sync "$file" "$torn"
        say "a crash tore the last write: $(stat -c %s "$torn") bytes that were never acknowledged are now in $torn"
    else
        say "the append-only file is damaged; redis-check-aof says: $(tail -n 3 <<<"$report" | tr '\n' ' ')"
    fi
fi
exec redis-server "$@"
