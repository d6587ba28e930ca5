# shellcheck shell=sh disable=SC2034,SC2154
# What the tests of the built command share: $dir/leasehold.conf, and where
# there are several, the $store, are set by who reads this in.
srcdir=${srcdir:-.}
bin=$(pwd)/leasehold
number=0
failed=0
unset LEASEHOLD_CONFIG

# begin NAME TOOL ...: $top and $dir are a new folder, which is gone at the end
# with the server in it; without one of the tools the test is skipped.
begin() {
	name=$1
	shift
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || {
			echo "1..0 # SKIP $tool is not installed"
			exit 77
		}
	done
	top=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-$name.XXXXXX") || exit 99
	dir=$top
	trap '"$srcdir/tests/mariadb.sh" stop "$top/server"; rm -rf "$top"' EXIT
}

# All output is kept, to be searched for secrets at the end.
run() {
	"$bin" --config "$dir/leasehold.conf" "$@" >"$dir/out" 2>"$dir/err"
	rc=$?
	cat "$dir/out" "$dir/err" >>"$dir/all"
}

report() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - ${store:+$store: }$2"
	else
		echo "not ok $number - ${store:+$store: }$2"
		sed 's/^/# out: /' "$dir/out"
		sed 's/^/# err: /' "$dir/err"
		failed=1
	fi
}

# is STATUS WHAT ARGS ...: the command ends with STATUS.
is() {
	want=$1
	what=$2
	shift 2
	run "$@"
	[ "$rc" = "$want" ]
	report $? "$what (status $want, got $rc)"
}

# set_up NAME URL: an installation on that store.
set_up() {
	store=$1
	cat >"$dir/leasehold.conf" <<-EOC
	store = $2
	master_key_file = $dir/$1.key
	run_dir = $dir
	EOC
	is 0 init init --prices "$srcdir/conf/prices.json"
}

# has WHAT PATTERN: the last output has it.
has() {
	grep -q -e "$2" "$dir/out" "$dir/err"
	report $? "$1"
}

# json WHAT FILTER ARGS ...: the command prints JSON for which FILTER is true.
json() {
	what=$1
	filter=$2
	shift 2
	run --json "$@"
	[ "$rc" = 0 ] && jq -e "$filter" "$dir/out" >/dev/null
	report $? "$what"
}

# on_each_store: `on NAME URL' for SQLite, and for MariaDB where it is installed
# and built in, with a server in $dir; then the count.
on_each_store() {
	on sqlite "sqlite:$dir/db"
	status=77
	! grep -q '^#define HAVE_MYSQL' config.h || {
		"$srcdir/tests/mariadb.sh" start "$dir/server" 2>"$dir/err"
		status=$?
	}
	case $status in
	0)
		mariadb --no-defaults -S "$dir/server/sock" -u root \
		    -e 'CREATE DATABASE lh' || exit 99
		on mariadb "mysql://root@localhost/lh?socket=$dir/server/sock"
		;;
	77) echo "# no MariaDB is installed" ;;
	*) exit 99 ;;
	esac
	echo "1..$number"
	exit "$failed"
}
