# Processes started directly: spawn-fcgi binds the socket, multiwatch keeps so
# many responders running.  Each has a pid file in $run_dir.

# is_ours PID: does it run, and is it one of these?  After a reboot, say, the
# number in a pid file may be anybody's; what has died shows no command.
is_ours() {
	tr '\0' ' ' 2> /dev/null < "/proc/$1/cmdline" | grep -qF \
		-e "$conf_file" -e "$etc_dir/nginx/nginx.conf" \
		-e "$etc_dir/apache/apache.conf" -e "$etc_dir/caddy/Caddyfile" \
		-e leasehold-demo-upstream -e "--datadir=$state_dir/mysql"
} 2> /dev/null

# alive NAME: does the process of $run_dir/NAME.pid run?
alive() {
	local pid

	pid=$(cat "$run_dir/$1.pid" 2> /dev/null) && is_ours "$pid"
}

# in_background NAME COMMAND ...: its process group is its own.
in_background() {
	local name=$1

	shift
	setsid "$@" < /dev/null >> "$log_dir/$name.err" 2>&1 &
	echo $! > "$run_dir/$name.pid"
}

# spawn_pool KIND SOCKET: responders of a kind (relay, admin) on a new socket.
# multiwatch tells its children to drain with SIGUSR1, its default: its "-s
# TERM" sends SIGQUIT (1.0.0).  It never gives up: what cannot start pauses by
# itself.
spawn_pool() {
	local program=$prefix/libexec/leasehold/leasehold-$1.fcgi
	local spawn=("$(find_program spawn-fcgi)" -s "$2")
	local forks

	[ -x "$program" ] || return 0
	forks=$(conf_get "$1_processes")
	if [ -n "$pool_user" ]; then
		spawn+=(-M 0660 -u "$pool_user" -g "$pool_user"
			-U "$pool_user" -G "$web_group")
	else
		spawn+=(-M 0600)
	fi
	ulimit -n 65536 2> /dev/null || ulimit -n "$(ulimit -Hn)"
	in_background "$1-pool" "${spawn[@]}" -n -- \
		"$(find_program multiwatch)" -f "$forks" -r 2000000000 -- \
		"$program" --config "$conf_file"
	wait_socket "$2" "$1-pool"
}

wait_socket() {
	for _ in {1..100}; do
		[ -S "$1" ] && return
		kill -0 "$(cat "$run_dir/$2.pid")" 2> /dev/null || break
		sleep 0.05
	done
	die "the pool did not start: $(tail -n 3 "$log_dir/$2.err")"
}

start_pools() {
	alive relay-pool || spawn_pool relay "$relay_socket"
	alive admin-pool || spawn_pool admin "$admin_socket"
}

# A new pool on a temporary path, renamed over the old one, which then serves
# what it has and exits.
replace_pool() {
	local kind=$1 socket=$2 old=

	alive "$kind-pool" && old=$(cat "$run_dir/$kind-pool.pid")
	spawn_pool "$kind" "$socket.new"
	[ -S "$socket.new" ] || return 0
	mv -f "$socket.new" "$socket"
	if [ -n "$old" ]; then
		echo "$old" >> "$run_dir/draining.pids"
		kill -TERM "$old"
	fi
}

# The old pool goes on when the new one could not start.
replace_pools() {
	leasehold config check > /dev/null
	leasehold status > /dev/null
	replace_pool relay "$relay_socket"
	replace_pool admin "$admin_socket"
}

start_demo() {
	alive demo || in_background demo "${as_pool[@]}" \
		"$prefix/libexec/leasehold/leasehold-demo-upstream" \
		--listen "127.0.0.1:$demo_port" --delay-ms 80
}

# start_direct BEFORE: a pool that runs on settings whose checksum was another
# one is replaced.
start_direct() {
	if [ -e "$etc_dir/demo-port" ]; then
		demo_port=$(cat "$etc_dir/demo-port")
		start_demo
	fi
	if alive relay-pool && [ "$1" != "$(cksum "$conf_file")" ]; then
		replace_pools
	else
		start_pools
	fi
}

# stop NAME SECONDS: TERM, and KILL for the whole group if that is not enough.
stop() {
	local file=$run_dir/$1.pid pid

	pid=$(cat "$file" 2> /dev/null) || return 0
	! is_ours "$pid" || kill -TERM "$pid" 2> /dev/null || true
	wait_gone "$pid" "$2" || kill -KILL -- "-$pid" 2> /dev/null || true
	rm -f "$file"
}

wait_gone() {
	for ((i = 0; i < $2 * 20; i++)); do
		is_ours "$1" || return 0
		sleep 0.05
	done
	return 1
}

stop_pools() {
	local drain pid

	drain=$(($(drain_seconds) + 5))
	! alive admin-pool || kill -TERM "$(cat "$run_dir/admin-pool.pid")"
	stop relay-pool "$drain"
	stop admin-pool "$drain"
	while read -r pid; do
		wait_gone "$pid" "$drain" ||
			kill -KILL -- "-$pid" 2> /dev/null || true
	done < <(cat "$run_dir/draining.pids" 2> /dev/null)
	rm -f "$run_dir/draining.pids" "$relay_socket" "$admin_socket"
	stop demo 2
}
