#!/bin/sh
# conf/container/entry, with stand-ins for pool, nginx and leasehold: each HUP
# has settings read that were there when it came, whenever that is, and also
# where it was started to ignore HUP.
# Functions are called by name.
# shellcheck disable=SC2317
if ! env --default-signal=HUP true 2>/dev/null; then
	echo "1..0 # SKIP env knows no --default-signal"
	exit 77
fi
srcdir=${srcdir:-.}
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-entry.XXXXXX") || exit 99
entry=
end() {
	# shellcheck disable=SC2046,SC2086
	kill -KILL $entry $(cat "$dir"/run/*.pid) 2>/dev/null
	rm -rf "$dir"
}
trap end EXIT
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

mkdir "$dir/bin" "$dir/run"
sed -e "s|^here=.*|here=$srcdir/conf|" -e "s|^pool=.*|pool=$dir/bin/pool|" \
    "$srcdir/conf/container/entry" >"$dir/bin/entry"
chmod 755 "$dir/bin/entry"
stand_in leasehold <<'X'
case "$*" in
'config show') echo 'mount = ' ;;
*list*) echo '"role": "admin"' ;;
esac
X
stand_in nginx <<'X'
exec env --default-signal sleep 100
X
# It reads early and is at work for a while after that.
stand_in pool <<'X'
case $1 in
start)
	: >"$dir/starting"
	sleep 0.5
	for part in relay admin; do
		sleep 100 >/dev/null &
		echo $! >"$dir/run/$part-pool.pid"
	done
	;;
reload)
	was=$(cat "$dir/setting")
	echo "$was" >"$dir/begun"
	sleep 0.3
	echo "$was" >"$dir/read"
	;;
stop) kill $(cat "$dir"/run/*-pool.pid) ;;
esac
X

# started OPTION: with HUP as env's OPTION has it.
started() {
	rm -f "$dir/starting" "$dir/read" "$dir/begun"
	PATH=$dir/bin:$PATH LEASEHOLD_RUN_DIR=$dir/run \
	    LEASEHOLD_RELAY_SOCKET=$dir/run/relay.sock \
	    LEASEHOLD_ADMIN_SOCKET=$dir/run/admin.sock \
	    env "$1=HUP" "$dir/bin/entry" >"$dir/why" 2>&1 &
	entry=$!
	eventually [ -e "$dir/starting" ]
}

# hup VALUE: of the setting, from now on.
hup() {
	echo "$1" >"$dir/setting"
	kill -HUP "$entry"
}

has_read() {
	[ "$(cat "$dir/read" 2>/dev/null)" = "$1" ]
}

has_begun() {
	[ "$(cat "$dir/begun" 2>/dev/null)" = "$1" ]
}

# What was last set is read in the end, however many came before it.
in_turn() {
	for value in 1 2 3 4 5 6 7 8 9 10; do
		hup "$value"
		sleep 0.07
	done
	eventually has_read 10
}

for option in --default-signal --ignore-signal; do
	started "$option"
	hup early
	eventually has_read early
	check $? "$option: HUP while it starts"
	hup idle
	eventually has_read idle
	check $? "$option: HUP while it waits"
	hup first
	eventually has_begun first
	hup second
	eventually has_read second
	check $? "$option: HUP while another is at work"
	in_turn
	check $? "$option: ten of them"
	kill -TERM "$entry"
	wait "$entry"
	check $? "$option: TERM ends it well"
	entry=
done
echo "1..$number"
exit "$failed"
