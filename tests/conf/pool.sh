#!/bin/sh
# conf/leasehold-pool, with a spawn-fcgi that takes its time and a stand-in for
# the responder: a reload that comes while the pool starts does it no harm, and
# is heard; two restarts at once leave one pool.
# Functions are called by name.
# shellcheck disable=SC2317
for program in spawn-fcgi multiwatch setsid flock pgrep; do
	PATH=$PATH:/usr/sbin command -v $program >/dev/null || {
		echo "1..0 # SKIP $program is not installed"
		exit 77
	}
done
PATH=$PATH:/usr/sbin
srcdir=${srcdir:-.}
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-pool.XXXXXX") || exit 99
trap 'pool stop; rm -rf "$dir"' EXIT
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

# pool WHAT: what it says is in $dir/why.
pool() {
	PATH=$dir/bin:$PATH POOL_LOG_DIR=$dir "$dir/bin/pool" \
	    --config "$dir/conf" "$1" >"$dir/why" 2>&1
}

mkdir "$dir/bin" "$dir/run"
: >"$dir/conf"
sed -e "s|@sbin_dir@|$dir/bin|; s|@libexec_dir@|$dir/bin|" \
    "$srcdir/conf/leasehold-pool.in" >"$dir/bin/pool"
chmod 755 "$dir/bin/pool"
stand_in leasehold <<X
printf '%s\n' 'run_dir = $dir/run' 'drain_s = 1s' 'relay_processes = 2' \
    'relay_socket = $dir/run/relay.sock'
X
stand_in spawn-fcgi <<'X'
sleep 0.7
exec "$real" "$@"
X
stand_in leasehold-relay.fcgi <<'X'
exec 3>"$dir/run/responder-$$.lock"
trap 'echo heard >>"$dir/heard"' USR2
echo ready >>"$dir/ready"
while :; do
	sleep 0.1
done
X

# lines COUNT FILE: has it so many lines?
lines() {
	[ "$(wc -l <"$dir/$2" 2>/dev/null || echo 0)" -ge "$1" ]
} 2>/dev/null

# As many responders as there are to be, and none on another socket.
one_pool() {
	pgrep -f "^/bin/sh $dir/bin/leasehold-relay.fcgi" >"$dir/why"
	[ "$(wc -l <"$dir/why")" = 2 ] && [ -S "$dir/run/relay.sock" ] &&
	    [ ! -e "$dir/run/relay.sock.new" ]
}

pool reload
[ $? = 7 ]
check $? "reload without a pool"
pool start &
start=$!
eventually [ -s "$dir/run/relay-pool.pid" ]
pool reload
check $? "reload while the pool starts"
wait "$start"
check $? "the pool starts nevertheless"
eventually lines 2 ready
check $? "with its responders"
pool reload
check $? "reload"
eventually lines 2 heard
check $? "each has heard it"
pool status
check $? "the pool runs"
pool restart &
restart=$!
pool restart
check $? "two restarts at once: the one"
wait "$restart"
check $? "and the other"
eventually one_pool
check $? "then one pool has the socket"
echo "1..$number"
exit "$failed"
