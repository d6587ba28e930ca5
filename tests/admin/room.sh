#!/bin/sh
# A backup for which there is no room: it says so, nothing has its name, and
# nothing of it is left, on SQLite and, where there is one, on a MariaDB.

# shellcheck source=tests/admin/lib.sh
. "${srcdir:-.}/tests/admin/lib.sh"
begin room

mkdir "$dir/to"

# nothing_left WHAT TEXT: the backup failed with that text, and is not there.
nothing_left() {
	[ "$rc" = 1 ] && [ ! -s "$dir/out" ]
	report $? "$1 fails (status $rc)"
	[ "$(wc -l <"$dir/err")" = 1 ]
	report $? "with one line"
	has "that says why" "$2"
	[ -z "$(cat "$dir/left")" ]
	report $? "and leaves nothing"
}

# A file that may not grow further while it is written.
breaks_off() {
	rc=0
	(
		ulimit -f 256
		"$bin" --config "$dir/leasehold.conf" backup "$dir/to/file"
	) >"$dir/out" 2>"$dir/err" || rc=$?
	ls -A "$dir/to" >"$dir/left"
	nothing_left "a backup that cannot grow" "$1"
}

# A disk that is full before the backup is whole.
fills_up() {
	if ! unshare -m true 2>/dev/null; then
		echo "# no small file system without root"
		return
	fi
	rc=0
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=128k tmpfs "$1/to" ||
	    exit 99
	"$2" --config "$1/leasehold.conf" backup "$1/to/file"
	status=$?
	ls -A "$1/to" >"$1/left"
	exit $status' sh "$dir" "$bin" >"$dir/out" 2>"$dir/err" || rc=$?
	nothing_left "a backup on a full disk" "$1"
}

# What is said goes into a file that may not grow further.
says_too_much() {
	rc=0
	(
		ulimit -f 1
		exec "$bin" --config "$dir/leasehold.conf" config show
	) >"$dir/out" 2>"$dir/err" || rc=$?
	[ "$rc" = 1 ]
	report $? "output that cannot grow fails (status $rc)"
	has "and says so" '^leasehold: standard output: '
}

on() {
	set_up "$@"
	says_too_much
	breaks_off 'disk I/O error'
	case $1 in
	sqlite) fills_up 'has room for' ;;
	*) fills_up 'free some space on its disk' ;;
	esac
	is 0 "a backup with room" backup "$dir/to/file"
	rm "$dir/to/file"
}

on_each_store
