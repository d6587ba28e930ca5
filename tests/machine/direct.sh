#!/bin/bash
# conf/quickstart on a bare Debian machine without systemd, from nothing to
# nothing: what README.md promises of it.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

# As the init scripts of a machine that boots would have it.
boots() {
	machine_stop m keep
	machine_again m "$bare"
	on m sh -c 'for script in /etc/rc2.d/S*; do "$script" start; done
	    /etc/init.d/leasehold status'
	on m bash -s <<-'END'
	port=$(cat /etc/leasehold/demo-port)
	setpriv --reuid=nobody --clear-groups setsid \
	    /usr/local/libexec/leasehold/leasehold-demo-upstream \
	    --listen "127.0.0.1:$port" >/dev/null 2>&1 &
	END
	eventually 60 streams m || return 1
	booted=yes
	processes m leasehold-demo-upstream | awk '{ print $1 }' | xargs kill
}

stopped() {
	quickstart m --stop && ! processes m 'leasehold-(relay|admin)'
}

# removed OPTION ...: without one it asks, and without a terminal that is a no.
removed() {
	quickstart m --remove "$@" && ! processes m 'leasehold|multiwatch' &&
	    { [ -n "${booted-}" ] || ! processes m nginx; }
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
check "programs of a newer build take over, and break nothing" rebuilt m
check "after that a second run succeeds" quickstart m --demo
check "and changes nothing" same_as rebuilt marks m
check "--restart keeps a running stream whole" restart_whole m
check "the old pool ends" count m '^[^ ]*multiwatch' 2 100
check "a killed responder is replaced" kill_one m
check "logs can be rotated" logs_rotate m
keys_same m
check "--remove stops all that quickstart has started" removed
check "--remove without a yes keeps the data" data_kept
check "set up again, it finds its data" data_found
check "all comes back after a power cut, by the init scripts" boots
check "--stop ends all" stopped
check "the init script is told" on m sh -c '! ls /etc/rc2.d/S*leasehold'
check "started again" quickstart m
check "it has its data" keys_same m
check "the init script starts it again" on m sh -c 'ls /etc/rc2.d/S*leasehold'
check "--remove --yes stops all but nginx, which the machine has started" \
    removed --yes
check "--remove --yes leaves nothing" nothing_left m
machine_stop m

results
