#!/bin/bash
# conf/quickstart under the web server that runs already, Apache or Caddy, and
# from one to another: on a Debian machine without systemd, and on one with it.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

# has NAME PACKAGE ...: Debian's, which are in store.
has() {
	local name=$1
	shift
	on "$name" env DEBIAN_FRONTEND=noninteractive apt-get install -yq \
	    --no-install-recommends "$@"
}

# served NAME PROGRAM: Leasehold by that one alone, its pages as well.
served() {
	local other

	for other in nginx apache2 caddy; do
		[ "$other" = "$2" ] || ! processes "$1" "^[^ ]*${other}[: ]" ||
			return 1
	done
	processes "$1" "^[^ ]*${2}[: ]" && streams "$1" &&
	    on "$1" sh -c 'curl -fsS http://127.0.0.1:8787/admin/ |
		grep -q "<html"'
}

# set_up NAME PROGRAM OPTION ...
set_up() {
	local name=$1 program=$2
	shift 2
	quickstart "$name" "$@" && served "$name" "$program"
}

# the_site NAME: what is at port 80 was there before, and its server's settings.
the_site() {
	on "$1" curl -fsS http://127.0.0.1/ || return 1
	on "$1" sh -c 'cd /etc && find apache2 caddy ! -type d \
	    -exec md5sum {} + 2>/dev/null | sort
	    find apache2 -type l -printf "%p %l\n" 2>/dev/null | sort'
}

# removed NAME OPTION ...
removed() {
	local name=$1
	shift
	quickstart "$name" --remove "$@" && ! processes "$name" leasehold
}

machine_needs
machine_trees

machine_plain a "$bare"
machine_checkout a
check "a machine with Apache" has a apache2 curl || give_up "no packages"
on a apache2ctl start 2>/dev/null
check "Apache runs" eventually 60 the_site a
same_as apache the_site a
check "set up under Apache" set_up a apache2 --demo
same_as marks marks a
check "a second run succeeds" quickstart a
check "it changes nothing" same_as marks marks a
check "logs can be rotated" logs_rotate a
check "--remove --yes" removed a --yes
check "nothing is left" nothing_left a
check "Apache is as it was" same_as apache the_site a
on a apache2ctl stop 2>/dev/null
check "Apache is stopped" count a "^[^ ]*apache2 " 0 60
check "without any that runs, nginx" set_up a nginx --demo
check "Caddy in its place" set_up a caddy --server caddy
check "Apache in its place" set_up a apache2 --server apache
check "nginx again" set_up a nginx --server nginx
check "--remove --yes" removed a --yes
check "nothing is left" nothing_left a
machine_stop a

machine_booted c
machine_checkout c
on c systemctl disable -q --now nginx
check "a machine with Caddy" has c caddy || give_up "no packages"
check "Caddy runs" eventually 60 the_site c
same_as caddy the_site c
check "set up under Caddy" set_up c caddy --demo
check "its socket is Caddy's" on c sh -c \
    '[ "$(stat -c %G /run/leasehold/relay.sock)" = caddy ]'
check "a second run changes nothing" set_up c caddy
machine_cut c
check "it comes back after a power cut" eventually 60 served c caddy
check "--restart keeps a running stream whole" restart_whole c
check "--remove --yes" removed c --yes
check "nothing is left" nothing_left c
check "Caddy is as it was" same_as caddy the_site c
machine_stop c

results
