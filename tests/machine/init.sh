#!/bin/bash
# The init script on a Debian machine without systemd: started, reloaded,
# restarted and stopped while streams run, with logs that logrotate turns.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

# quickstart installs it, and stops what it has started; from there on the init
# script has it.
handed_over() {
	quickstart m --demo && quickstart m --stop || return 1
	on m bash -s <<-'END'
	sed -i 's|^log = .*|log = file:/var/log/leasehold/leasehold.log|' \
	    /etc/leasehold/leasehold.conf
	echo access_log = file:/var/log/leasehold/requests.log \
	    >>/etc/leasehold/leasehold.conf
	port=$(cat /etc/leasehold/demo-port)
	setpriv --reuid=nobody --clear-groups setsid \
	    /usr/local/libexec/leasehold/leasehold-demo-upstream \
	    --listen "127.0.0.1:$port" --delay-ms 200 >/dev/null 2>&1 &
	nginx -s reload
	END
}

init() {
	on m /etc/init.d/leasehold "$@"
}

# stands STATUS WORD ...: what the init script exits with.
stands() {
	local want=$1 got=0
	shift
	init "$@" || got=$?
	[ "$got" -eq "$want" ]
}

as_set() {
	on m bash -s <<-'END'
	set -ex
	[ "$(stat -c '%U %G %a' /run/leasehold/relay.sock)" = \
	    'leasehold www-data 660' ]
	[ "$(ps -eo user:20=,args= | grep '/leasehold-[a-z]*[.]fcgi' |
	    awk '{ print $1 }' | sort -u)" = leasehold ]
	END
}

# What is sent is too long, by a setting.
too_long() {
	on m sh -s <"$scratch/long.curl" | grep request_too_large
}

# reload keeps the responders; the new setting is in force.
reload_counts() {
	local before
	before=$(responders m)
	on m sh -c 'echo body_max_bytes = 1K >>/etc/leasehold/leasehold.conf'
	init reload || return 1
	sed "s/Hello/$(printf %02000d 0)/" "$scratch/m.curl" >"$scratch/long.curl"
	eventually 30 too_long || return 1
	on m sed -i '/^body_max_bytes/d' /etc/leasehold/leasehold.conf
	init reload && eventually 30 streams m &&
	    [ "$(responders m)" = "$before" ]
}

# restart puts another number of responders there, of the program as it is now.
restart_counts() {
	local before
	before=$(responders m)
	on m sh -c 'cd /usr/local/libexec/leasehold &&
	    cp leasehold-relay.fcgi new && mv new leasehold-relay.fcgi
	    echo relay_processes = 3 >>/etc/leasehold/leasehold.conf'
	init restart || return 1
	eventually 100 replaced m "$before" 3 || return 1
	for pid in $(responders m); do
		! readlink "/proc/$pid/exe" | grep deleted || return 1
	done
}

# A config that is not good leaves the pool as it is.
bad_config() {
	local before status=0
	before=$(responders m)
	on m sh -c 'cp /etc/leasehold/leasehold.conf /root/good.conf
	    echo streams_max = many >>/etc/leasehold/leasehold.conf'
	stands 6 restart && ! init reload || status=1
	on m cp /root/good.conf /etc/leasehold/leasehold.conf
	[ "$(responders m)" = "$before" ] && streams m >/dev/null &&
	    return "$status"
}

# Each request has its line in the log, or in one that was turned meanwhile.
no_line_lost() {
	on m bash -s <<-'END' || return 1
	set -e
	install -m 644 /usr/local/share/leasehold/conf/logrotate \
	    /etc/logrotate.d/leasehold
	logrotate --force /etc/logrotate.d/leasehold
	END
	eventually 60 settled || return 1
	logged >"$scratch/before"
	unbroken m 3 on m logrotate --force /etc/logrotate.d/leasehold &&
	    eventually 60 all_logged &&
	    on m test -s /var/log/leasehold/requests.log &&
	    on m test -s /var/log/leasehold/requests.log.1
}

# Nothing is on its way to ledger or log any more.
settled() {
	local first
	first=$(logged)
	sleep 2
	[ "$(logged)" = "$first" ]
}

# As many lines more as there are calls more.
all_logged() {
	on m ls -l /var/log/leasehold
	logged | paste "$scratch/before" - | tee /dev/stderr |
		awk '{ exit !($3 - $1 > 4 && $3 - $1 == $4 - $2) }'
}

# logged: how many calls the ledger has, and how many have a line.
logged() {
	on m bash -s <<-'END'
	calls=$(sqlite3 /var/lib/leasehold/leasehold.db \
	    'SELECT COUNT(*) FROM ledger')
	cd /var/log/leasehold
	lines=$(zcat -f requests.log* | grep -c '"route":"[^"]*messages')
	echo "$calls $lines"
	END
}

machine_needs
machine_trees

machine_plain m "$ready"
machine_checkout m
check "sets up, and hands over to the init script" handed_over ||
	give_up "nothing to go on with"
check "shellcheck takes it" shellcheck "$top/conf/init.d/leasehold.in"
check "status of what does not run" stands 3 status
check "reload of what does not run" stands 7 reload
check "starts" init start || give_up "nothing to go on with"
check "a second start changes nothing" init start
check "status" stands 0 status
check "its users are the right ones" as_set
check "it streams" streams m
check "reload breaks nothing" unbroken m 3 init reload
check "reload takes over settings" reload_counts
check "restart breaks nothing" unbroken m 3 init restart
check "restart takes over program and settings" restart_counts
check "leasehold restart does the same" unbroken m 3 \
    on m leasehold restart
check "its users are the same" as_set
check "a config that is not good stops neither" bad_config
check "logrotate loses nothing" no_line_lost
on m sh -c 'echo streams_max = many >>/etc/leasehold/leasehold.conf'
check "stops, though its config is not good" init stop
on m cp /root/good.conf /etc/leasehold/leasehold.conf
check "nothing runs" count m "$relays" 0 100
check "status of what does not run" stands 3 status
check "restart starts it" init restart
check "it streams" streams m
check "an unknown word" stands 2 frobnicate
machine_stop m

results
