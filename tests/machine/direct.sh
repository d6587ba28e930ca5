#!/bin/bash
# conf/quickstart on a bare Debian machine without systemd, from nothing to
# nothing: what README.md promises of it.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

# removed OPTION ...: without one it asks, and without a terminal that is a no.
removed() {
	quickstart m --remove "$@" &&
	    ! processes m 'nginx|leasehold|multiwatch'
}

data_kept() {
	grep -q '^kept: /etc/leasehold' "$scratch/m.out" &&
	    on m sh -c 'test -s /etc/leasehold/master.key &&
	    test -s /var/lib/leasehold/leasehold.db &&
	    test ! -e /usr/local/sbin/leasehold &&
	    test ! -e /etc/nginx/sites-enabled/leasehold'
}

data_found() {
	quickstart m && keys_same m && streams m
}

machine_needs
machine_trees

machine_plain m "$bare"
machine_checkout m
check "sets up a bare machine" quickstart m --demo ||
	give_up "nothing to go on with"
check "the printed curl line streams a reply" streams m
same_as marks marks m
check "a second run succeeds" quickstart m --demo
check "a second run changes nothing" same_as marks marks m
check "--restart keeps a running stream whole" restart_whole m
check "the old pool ends" count m '^[^ ]*multiwatch' 2 100
check "a killed responder is replaced" kill_one m
check "logs can be rotated" logs_rotate m
keys_same m
check "--remove stops all that quickstart has started" removed
check "--remove without a yes keeps the data" data_kept
check "set up again, it finds its data" data_found
check "--remove --yes stops all again" removed --yes
check "--remove --yes leaves nothing" nothing_left m
machine_stop m

results
