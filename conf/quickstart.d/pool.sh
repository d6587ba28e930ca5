# Processes started directly, each with a pid file in $run_dir.  The pool itself
# is leasehold-pool's.

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

# pool WHAT: see leasehold-pool.
pool() {
	POOL_USER=$pool_user WEB_GROUP=$web_group POOL_LOG_DIR=$log_dir \
		"$prefix/libexec/leasehold/leasehold-pool" \
		--config "$conf_file" "$1"
}

# One that does not run is started.
restart_pool() {
	if alive relay-pool || { [ -n "$pool_user" ] && have_systemd; }; then
		leasehold restart > /dev/null
	else
		pool start
	fi
}

start_demo() {
	alive demo || in_background demo "${as_pool[@]}" \
		"$prefix/libexec/leasehold/leasehold-demo-upstream" \
		--listen "127.0.0.1:$demo_port" --delay-ms 80
}

# responders KIND: the numbers of their processes, without those that drain.
responders() {
	if [ -n "$pool_user" ] && have_systemd; then
		systemctl show --value -p MainPID "leasehold-$1@*.service" |
			grep -x '[1-9][0-9]*' || true
	elif alive "$1-pool"; then
		cat "/proc/$(cat "$run_dir/$1-pool.pid")/task"/*/children \
			2> /dev/null || true
	fi
}

# outdated: does a responder run a program that is not the one installed?
outdated() {
	local kind pid program

	for kind in relay admin; do
		program=$prefix/libexec/leasehold/leasehold-$kind.fcgi
		for pid in $(responders "$kind"); do
			[[ $(readlink "/proc/$pid/exe") == */"${program##*/}"* ]] ||
				continue
			[ "/proc/$pid/exe" -ef "$program" ] || return 0
		done
	done
	return 1
}

# stale BEFORE: does the pool run on other programs, or on settings whose
# checksum was another one?
stale() {
	[ "$1" != "$(cksum "$conf_file")" ] || outdated
}

start_direct() {
	if [ -e "$etc_dir/demo-port" ]; then
		demo_port=$(cat "$etc_dir/demo-port")
		start_demo
	fi
	if alive relay-pool && stale "$1"; then
		leasehold restart > /dev/null
	else
		pool start
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
	pool stop
	stop demo 2
}
