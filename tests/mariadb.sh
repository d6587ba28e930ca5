#!/bin/sh
# A MariaDB server for tests, in a folder of its own and on a socket of its
# own; never the system's.
#
#	tests/mariadb.sh start DIR [OPTION ...]	start it; options of mariadbd
#	tests/mariadb.sh stop DIR		stop it, by its process id
#	tests/mariadb.sh kill DIR		as kill -9; start it again later
#	tests/mariadb.sh run COMMAND ...	run a command with a server:
#		LEASEHOLD_TEST_STORE is then the URL of a database NAME on it
#
# root needs no password on the socket.  Exit status 77: there is no MariaDB
# (Debian: apt-get install mariadb-server).
set -u
PATH=$PATH:/usr/sbin:/usr/local/sbin

fail() {
	echo "mariadb.sh: $*" >&2
	exit 1
}

is_up() {
	[ -f "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null
}

start() {
	dir=$1
	shift
	for p in mariadbd mariadb-install-db mariadb; do
		command -v $p >/dev/null || { echo "no $p" >&2; return 77; }
	done
	is_up "$dir" && return 0

	# A server that starts removes others' temporary files.
	mkdir -p "$dir/tmp" || return 1
	if [ ! -d "$dir/data/mysql" ]; then
		TMPDIR=$dir/tmp mariadb-install-db --no-defaults --datadir="$dir/data" \
		    --auth-root-authentication-method=normal --skip-test-db \
		    --user="$(id -un)" >"$dir/install.log" 2>&1 || {
			tail -20 "$dir/install.log" >&2
			return 1
		}
	fi
	rm -f "$dir/pid"
	mariadbd --no-defaults --user="$(id -un)" --datadir="$dir/data" \
	    --socket="$dir/sock" --pid-file="$dir/pid" --skip-networking \
	    --tmpdir="$dir/tmp" \
	    --innodb-buffer-pool-size=64M --innodb-log-file-size=32M \
	    --innodb-flush-log-at-trx-commit=2 --innodb-print-all-deadlocks \
	    --skip-log-bin --performance-schema=OFF "$@" \
	    </dev/null >>"$dir/log" 2>&1 &
	i=0
	until [ -S "$dir/sock" ] && is_up "$dir" &&
	    mariadb --no-defaults -S "$dir/sock" -u root -e 'SELECT 1' \
	    >/dev/null 2>&1; do
		i=$((i + 1))
		[ $i -lt 300 ] || { tail -20 "$dir/log" >&2; return 1; }
		kill -0 $! 2>/dev/null || { tail -20 "$dir/log" >&2; return 1; }
		sleep 0.1
	done
}

# stop DIR SIGNAL
stop() {
	is_up "$1" || return 0
	pid=$(cat "$1/pid")
	kill "-$2" "$pid"
	i=0
	while kill -0 "$pid" 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
		sleep 0.1
	done
	rm -f "$1/pid" "$1/sock"
}

run() {
	dir=$(mktemp -d /tmp/mariadb.XXXXXX) || exit 1
	trap 'stop "$dir" TERM; rm -rf "$dir"' EXIT
	trap 'exit 1' HUP INT TERM
	start "$dir" || exit
	LEASEHOLD_TEST_STORE="mysql://root@localhost/NAME?socket=$dir/sock"
	export LEASEHOLD_TEST_STORE
	"$@"
}

[ $# -ge 2 ] || fail "usage: start DIR [OPTION ...] | stop DIR | kill DIR |" \
    "run COMMAND ..."
action=$1
shift
case $action in
start) start "$@" ;;
stop) stop "$1" TERM ;;
kill) stop "$1" KILL ;;
run) run "$@" ;;
*) fail "what is \"$action\"?" ;;
esac
